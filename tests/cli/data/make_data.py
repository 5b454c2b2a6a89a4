"""Writes two_inputs.onnx, dynamic.onnx, unprepared.onnx and tensors for them beside this script. Made with onnx 1.16.2, numpy 2.4.6."""

import pathlib

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

here = pathlib.Path(__file__).parent
random = np.random.default_rng(3)
shape = ["N", 2, 4, 4]
weight = numpy_helper.from_array(random.normal(size=(2, 2, 3, 3)).astype(np.float32), "weight")
graph = helper.make_graph(
    [
        helper.make_node("Conv", ["left", "weight"], ["filtered"], name="filter", pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["filtered", "right"], ["sum"], name="join"),
    ],
    "two_inputs",
    [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("left", "right")],
    [helper.make_tensor_value_info("sum", TensorProto.FLOAT, shape)],
    [weight],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
checker.check_model(model)
save(model, here / "two_inputs.onnx")
for name in ("left", "right"):
    np.save(here / f"{name}.npy", random.normal(size=(6, 2, 4, 4)).astype(np.float32))

graph = helper.make_graph(
    [helper.make_node("Conv", ["x", "weight"], ["y"], name="filter", pads=[1, 1, 1, 1])],
    "dynamic",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, "H", "W"])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 2, "H", "W"])],
    [weight],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
checker.check_model(model)
save(model, here / "dynamic.onnx")

# What runtimes of one sample can be given once constants and sizes are computed: flattened by the batch's own size, a
# weight of another shape, and Gemm's factors.
graph = helper.make_graph(
    [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "first"], ["batch"], axis=0),
        helper.make_node("Concat", ["batch", "rest"], ["flat"], axis=0),
        helper.make_node("Reshape", ["x", "flat"], ["row"]),
        helper.make_node("Reshape", ["stored", "matrix"], ["product"]),
        helper.make_node("Gemm", ["row", "product"], ["y"], name="fc", alpha=0.5, transB=1),
    ],
    "unprepared",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, 2, 2])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
    [
        numpy_helper.from_array(np.array([0], np.int64), "first"),
        numpy_helper.from_array(np.array([-1], np.int64), "rest"),
        numpy_helper.from_array(np.array([3, 8], np.int64), "matrix"),
        numpy_helper.from_array(random.normal(size=24).astype(np.float32), "stored"),
    ],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
checker.check_model(model)
save(model, here / "unprepared.onnx")
np.save(here / "cube.npy", random.normal(size=(6, 2, 2, 2)).astype(np.float32))
