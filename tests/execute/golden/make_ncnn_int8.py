"""make_ncnn_int8.py [--check] FILE: what ncnn's int8 layers compute, as cases for tests/execute/ncnn_test.cc.

Each case is one layer, written by hand as .param and .bin, and the same layer as a Q/DQ graph in Octavo's text form.
ncnn runs with its default options and one thread. Without --check the file is written; with it ncnn is run again and
must give what the file says: 77 where the wheel is not installed.

On x86 ncnn multiplies sums, adds the bias and rounds once where the CPU has FMA. Depthwise layers of a multiple of
eight channels take the approximate reciprocal of SSE (relative error 2^-12) for 1 / (S_in * S_w), which differs
between makers of CPUs: such cases are marked `near`, all others `same`.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

try:
    import ncnn
except ImportError as error:
    print("skipped:", error)
    sys.exit(77)

F32 = np.float32
INT8_TAG = 0x000D4B38
ACTIVATIONS = {"": "", "Relu": "9=1", "LeakyRelu": "9=2 -23310=1,1.250000e-01", "Clip": "9=3 -23310=2,-2.500000e-01,1.500000e+00"}
APPLIED = {
    "": "",
    "Relu": "r = Relu(c)",
    "LeakyRelu": "r = LeakyRelu(c) {alpha=0.125}",
    "Clip": "const low: f32[] = {-0.25} const high: f32[] = {1.5} r = Clip(c, low, high)",
}

#        name            in out k stride pad groups activation   size int8  bias  ties
CASES = [
    ("pointwise",        16, 24, 1, 1, 0, 1, "Relu", 7, True, True, False),
    ("winograd",         12, 20, 3, 1, 1, 1, "", 7, True, True, False),
    ("winograd_float",   12, 16, 3, 1, 1, 1, "Relu", 7, False, True, False),
    ("direct",            4, 6, 3, 1, 1, 1, "Clip", 8, True, True, False),
    ("strided",          16, 16, 3, 2, 1, 1, "LeakyRelu", 9, True, True, False),
    ("strided_float",     8, 16, 3, 2, 1, 1, "Clip", 9, False, True, False),
    ("no_bias",           8, 12, 1, 1, 0, 1, "LeakyRelu", 8, True, False, False),
    ("no_bias_float",     8, 12, 1, 1, 0, 1, "", 8, False, False, False),
    ("depthwise",         6, 6, 3, 1, 1, 6, "Relu", 9, True, True, False),
    ("depthwise_strided", 6, 6, 3, 2, 1, 6, "", 9, True, True, False),
    ("depthwise_float",   6, 6, 3, 1, 1, 6, "", 9, False, True, False),
    ("depthwise_packed", 16, 16, 3, 1, 1, 16, "Relu", 9, True, True, False),
    ("depthwise_wide",    8, 8, 5, 1, 2, 8, "", 9, True, False, False),
    ("grouped",          16, 32, 3, 1, 1, 4, "Relu", 6, True, True, False),
    ("ties",              8, 12, 1, 1, 0, 1, "", 9, True, True, True),
    ("linear",           40, 24, 0, 1, 0, 1, "", 1, False, True, False),
    ("linear_relu",      33, 10, 0, 1, 0, 1, "Relu", 1, False, True, False),
]


def floats(numbers):
    return ", ".join(np.format_float_scientific(x, unique=True, trim="-") for x in np.ravel(numbers))


def padded(data):
    return data + b"\0" * (-len(data) % 4)


def constant(name, kind, shape, text):
    return f"const {name}: {kind}[{','.join(map(str, shape))}] = {{{text}}} "


class Layer:
    """Random weights and input of one case."""

    def __init__(self, index, case):
        (self.name, self.inputs, self.outputs, self.kernel, self.stride, self.pad, self.groups, self.activation,
         self.size, self.int8, self.has_bias, ties) = case
        random = np.random.default_rng(1000 + index)
        self.linear = self.kernel == 0
        k = max(self.kernel, 1)
        depth = self.inputs // self.groups
        narrow = self.kernel == 3 and self.stride == 1 and self.groups == 1  # what ncnn2table does for Winograd
        self.w = random.integers(-31 if narrow else -127, 32 if narrow else 128, (self.outputs, depth, k, k))
        self.w = self.w.astype(np.int8)
        count = self.groups if self.groups > 1 else self.outputs
        self.w_scale = random.uniform(0.002, 0.006, count).astype(F32) * F32(4 if narrow else 1)
        if 1 < self.groups < self.inputs:
            self.w_scale[:] = self.w_scale[0]
        self.bias = random.normal(0, 0.5, self.outputs).astype(F32)
        self.x_scale = F32(0.0243)
        self.y_scale = F32(0.017 * np.sqrt(depth * k * k))
        if ties:  # powers of two: everything is exact, and often half a step
            self.x_scale, self.y_scale = F32(2**-5), F32(2**-2)
            self.w_scale[:] = F32(2**-8)
            self.bias = (np.round(self.bias * 16) / 16).astype(F32)
        self.x = (np.round(random.normal(0, 1, (self.inputs, self.size, self.size)) * 1024) / 1024).astype(F32)
        self.near = self.groups == self.inputs == self.outputs and self.inputs % 8 == 0

    def files(self):
        one = F32(1)
        kind = "InnerProduct" if self.linear else "ConvolutionDepthWise" if self.groups > 1 else "Convolution"
        term = (1 if self.groups > 1 else 2) + (100 if self.int8 else 0)
        keys = f"0={self.outputs} " + (f"1={int(self.has_bias)} 2={self.w.size}" if self.linear else
                                       f"1={self.kernel} 3={self.stride} 4={self.pad} 5={int(self.has_bias)} 6={self.w.size}")
        if self.groups > 1:
            keys += f" 7={self.groups}"
        param = f"7767517\n2 2\nInput in 0 1 in\n{kind} layer 1 1 in out {keys} 8={term} {ACTIVATIONS[self.activation]}\n"
        data = INT8_TAG.to_bytes(4, "little") + padded(self.w.tobytes())
        if self.has_bias:
            data += self.bias.tobytes()
        data += (one / self.w_scale).tobytes() + (one / self.x_scale).tobytes()
        if self.int8:
            data += (one / self.y_scale).tobytes()
        return param, data

    def run(self):
        param, data = self.files()
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "m.param").write_text(param)
            Path(folder, "m.bin").write_bytes(data)
            net = ncnn.Net()
            net.opt.num_threads = 1
            net.opt.use_bf16_storage = False
            assert net.load_param(f"{folder}/m.param") == 0 and net.load_model(f"{folder}/m.bin") == 0
            extractor = net.create_extractor()
            given = ncnn.Mat(self.x.ravel() if self.linear else self.x).clone()
            extractor.input("in", given)
            status, result = extractor.extract("out", 1) if self.int8 else extractor.extract("out")
            assert status == 0
            if result.elempack != 1:
                unpacked = ncnn.Mat()
                ncnn.convert_packing(result, unpacked, 1, ncnn.Option())
                result = unpacked
            return np.array(result).copy().ravel()

    def graph(self):
        w_shape = self.w.shape[:2] if self.linear else self.w.shape
        per_channel = len(self.w_scale) == self.outputs
        scales = self.w_scale if per_channel else self.w_scale[:1]
        shape = f"1,{self.inputs}" if self.linear else f"1,{self.inputs},{self.size},{self.size}"
        text = f"graph opset 13 {{ input x: f32[{shape}] "
        text += constant("w", "i8", w_shape, ", ".join(map(str, self.w.ravel())))
        text += constant("ws", "f32", [len(scales)] if per_channel else [], floats(scales))
        text += constant("wz", "i8", [len(scales)] if per_channel else [], ", ".join(["0"] * len(scales)))
        text += constant("xs", "f32", [], floats(self.x_scale)) + constant("z", "i8", [], "0")
        text += constant("ys", "f32", [], floats(self.y_scale))
        bias = ""
        if self.has_bias:
            text += constant("b", "f32", [self.outputs], floats(self.bias))
            bias = ", b"
        text += "q = QuantizeLinear(x, xs, z) d = DequantizeLinear(q, xs, z) v = DequantizeLinear(w, ws, wz) {axis=0} "
        attributes = "transB=1" if self.linear else (f"group={self.groups}, strides=[{self.stride},{self.stride}], "
                                                     f"pads=[{self.pad},{self.pad},{self.pad},{self.pad}]")
        text += f"c = {'Gemm' if self.linear else 'Conv'}(d, v{bias}) {{{attributes}}} {APPLIED[self.activation]} "
        last = "r" if self.activation else "c"
        text += f"y = QuantizeLinear({last}, ys, z) output y }}" if self.int8 else f"output {last} }}"
        return text

    def lines(self, result):
        yield f"case {self.name} {'near' if self.near else 'same'} {'int8' if self.int8 else 'float'}"
        yield "graph " + self.graph()
        yield "input " + " ".join(str(int(x * 1024)) for x in self.x.ravel())  # 1024ths
        numbers = result if self.int8 else np.ascontiguousarray(result, F32).view(np.uint32)
        yield "output " + " ".join(f"{n}" if self.int8 else f"{n:08x}" for n in numbers)


def check(layer, result, lines):
    expected = next(lines).split()[1:]
    if layer.int8:
        difference = np.abs(np.array(expected, int) - result)
    else:
        before = np.array([int(n, 16) for n in expected], np.uint32).view(F32)
        difference = np.abs(before.astype(float) - result) / layer.y_scale
    equal = np.mean(difference == 0)
    print(f"{layer.name}: {100 * equal:.2f} % as recorded, largest difference {difference.max():.3g} steps")
    return difference.max() <= 1 and (equal >= 0.99 or not layer.int8)


path = Path(sys.argv[-1])
layers = [Layer(index, case) for index, case in enumerate(CASES)]
if "--check" in sys.argv:
    outputs = iter([line for line in path.read_text().splitlines() if line.startswith("output ")])
    sys.exit(0 if all([check(layer, layer.run(), outputs) for layer in layers]) else "ncnn computes something else")
text = [f"# make_ncnn_int8.py, ncnn {ncnn.__version__}, numpy {np.__version__}, x86-64 with AVX-512"]
for layer in layers:
    text += layer.lines(layer.run())
path.write_text("\n".join(text) + "\n")
