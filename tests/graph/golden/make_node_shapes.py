"""Writes node_shapes.txt: ONNX's own node tests as graph text, with the types their recorded outputs have.

Run with onnx 1.16.2 installed: python make_node_shapes.py > node_shapes.txt
Integer inputs of at most 64 elements become constants, as shapes and axes are in models; others stay inputs.
"""

import glob
import os

import onnx
from onnx import numpy_helper

OPERATORS = set(
    """Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast Ceil Clip Concat Constant ConstantOfShape Conv
    ConvInteger ConvTranspose DepthToSpace DequantizeLinear Div Dropout DynamicQuantizeLinear Elu Equal Erf Exp Expand
    Flatten Floor Gather GatherElements Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual HardSigmoid
    HardSwish Identity InstanceNormalization LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpPool
    MatMul MatMulInteger Max MaxPool Mean Min Mod Mul Neg NonMaxSuppression Not Or PRelu Pad Pow QLinearConv
    QLinearMatMul QuantizeLinear Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean
    ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize Round Selu Shape Sigmoid Sign Sin Size Slice
    Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh Tile TopK Transpose Unsqueeze Upsample
    Where Xor""".split()
)
# By TensorProto.DataType; all others are opaque.
TYPES = {1: "f32", 2: "u8", 3: "i8", 4: "u16", 5: "i16", 6: "i32", 7: "i64", 9: "bool", 10: "f16", 11: "f64", 12: "u32",
         13: "u64", 16: "bf16", 21: "u4", 22: "i4"}


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def type_text(array, dtype):
    return f"{dtype}[{','.join(map(str, array.shape))}]"


def elements(array):
    if array.dtype.kind == "b":
        return "{" + ", ".join(str(bool(v)).lower() for v in array.ravel()) + "}"
    if array.dtype.name == "float16":
        raise ValueError("no bits of halves here")
    return "{" + ", ".join(repr(v.item()) for v in array.ravel()) + "}"


def attribute_text(attribute):
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return quote(value.decode())
    if isinstance(value, float):
        return repr(value) if "." in repr(value) or "e" in repr(value) or "n" in repr(value) else repr(value) + ".0"
    if isinstance(value, onnx.TensorProto):
        array = numpy_helper.to_array(value)
        return f"{type_text(array, TYPES[value.data_type])} {elements(array)}"
    if isinstance(value, int):
        return str(value)
    if all(isinstance(v, int) for v in value):
        return "[" + ", ".join(map(str, value)) + "]"
    if all(isinstance(v, float) for v in value) and value:
        return "[" + ", ".join(f"{v:.9e}" for v in value) + "]"
    raise ValueError("an attribute of another kind")


def load(path):
    with open(path, "rb") as file:
        tensor = onnx.TensorProto()
        tensor.ParseFromString(file.read())
    return numpy_helper.to_array(tensor), TYPES.get(tensor.data_type, "opaque")


def is_shape_like(node, index, array):
    if array.dtype.name in ("int64", "int32"):
        return array.ndim <= 1 and array.size <= 64
    return node.op_type in ("Resize", "Upsample") and index in (1, 2)


def case_text(folder):
    model = onnx.load(os.path.join(folder, "model.onnx"))
    graph = model.graph
    if "BFLOAT16" in folder:  # recorded as the 16-bit integers that numpy has for it
        return None
    if len(graph.node) != 1 or graph.node[0].op_type not in OPERATORS or graph.node[0].domain:
        return None
    node = graph.node[0]
    data = os.path.join(folder, "test_data_set_0")
    lines = [f"graph {quote(os.path.basename(folder))} opset {model.opset_import[0].version} {{"]
    for index, value in enumerate(graph.input):
        array, dtype = load(os.path.join(data, f"input_{index}.pb"))
        place = list(node.input).index(value.name)
        if is_shape_like(node, place, array):
            lines.append(f"  const {quote(value.name)}: {type_text(array, dtype)} = {elements(array)}")
        else:
            lines.append(f"  input {quote(value.name)}: {type_text(array, dtype)}")
    names = lambda values: ", ".join(quote(v) if v else "_" for v in values)
    attributes = ", ".join(f"{a.name}={attribute_text(a)}" for a in node.attribute)
    lines.append(f"  {names(node.output)} = {node.op_type}({names(node.input)}) {{{attributes}}}")
    for index, value in enumerate(graph.output):
        array, dtype = load(os.path.join(data, f"output_{index}.pb"))
        lines.append(f"  output {quote(value.name)}: {type_text(array, dtype)}")
    return "\n".join(lines + ["}"])


def main():
    root = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "node")
    for folder in sorted(glob.glob(os.path.join(root, "test_*"))):
        try:
            text = case_text(folder)
        except (ValueError, KeyError, TypeError):
            continue
        if text:
            print(text)


main()
