"""Makes the models of this folder: small ones that use every part of the format. Made with onnx 1.16.2."""
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
X = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])
Y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)


def save(name, nodes, inputs=(X,), outputs=(Y,), opset=13, ir_version=8, functions=(), opsets=(), **graph):
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), **graph)
    imports = [helper.make_opsetid("", opset)] + [helper.make_opsetid(d, 1) for d in opsets]
    model = helper.make_model(graph, opset_imports=imports, ir_version=ir_version, producer_name="p", functions=functions)
    (HERE / name).write_bytes(model.SerializeToString())


def attributes():
    node = helper.make_node("Op", ["x", "", "w"], ["y", ""], name="n", domain="d", f=0.5, i=-1, s="text", fs=[1.0, 2.0],
                            iv=[1, 2, 300], ss=["a", "b"], t=numpy_helper.from_array(np.arange(3, dtype=np.int8)))
    w = numpy_helper.from_array(np.ones((2, 1), np.float32), "w")
    save("attributes", [node], initializer=[w], opsets=["d"],
         value_info=[helper.make_tensor_value_info("z", TensorProto.INT64, [1])])


def initializers():
    types = [TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.BOOL, TensorProto.INT8, TensorProto.UINT16,
             TensorProto.INT32, TensorProto.INT64, TensorProto.UINT64, TensorProto.DOUBLE, TensorProto.FLOAT8E4M3FN]
    tensors = [helper.make_tensor(f"c{t}", t, [2], [0, 1]) for t in types]
    tensors.append(helper.make_tensor("text", TensorProto.STRING, [1], [b"s"]))
    save("initializers", [helper.make_node("Relu", ["x"], ["y"])], initializer=tensors, opset=19, ir_version=9)


def old():
    b = numpy_helper.from_array(np.ones(2, np.float32), "b")
    save("ir3", [helper.make_node("Add", ["x", "b"], ["y"])], opset=8, ir_version=3, initializer=[b],
         inputs=[X, helper.make_tensor_value_info("b", TensorProto.FLOAT, [2])])


def external():
    tensor = TensorProto(name="e", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "w.bin"), ("offset", "0"), ("length", "16")):
        tensor.external_data.add(key=key, value=value)
    save("external", [helper.make_node("Add", ["x", "e"], ["y"])], initializer=[tensor])


def subgraphs():
    out = helper.make_tensor_value_info("t", TensorProto.FLOAT, None)
    then = helper.make_graph([helper.make_node("Add", ["x", "one"], ["t"])], "then", [], [out],
                             initializer=[numpy_helper.from_array(np.float32(1), "one")])
    other = helper.make_graph([helper.make_node("Identity", ["a"], ["t"])], "else", [], [out])
    condition = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
    save("subgraphs", [helper.make_node("Relu", ["x"], ["a"]),
                       helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other)], inputs=[X, condition])


def kept():
    function = helper.make_function("d", "F", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])],
                                    [helper.make_opsetid("", 13)])
    sequence = helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, [1])
    sparse = helper.make_sparse_tensor(numpy_helper.from_array(np.ones(1, np.float32), "p"),
                                       numpy_helper.from_array(np.array([3])), [9])
    save("kept", [helper.make_node("F", ["x"], ["y"], domain="d")], inputs=[X, sequence], functions=[function],
         opsets=["d"], sparse_initializer=[sparse], ir_version=10)


for make in (attributes, initializers, old, external, subgraphs, kept):
    make()
