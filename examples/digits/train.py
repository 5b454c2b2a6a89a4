#!/usr/bin/env python3
"""Trains the example classifier and writes all that lies beside this script: model, pictures and labels.

The quickstart and the acceptance tests need a real model that anyone may ship, on real pictures, with an accuracy
that quantization can lose. So the project trains its own, on scikit-learn's handwritten digits and in NumPy alone.
The network has what a quantizer has to cope with: batch normalization left as nodes of its own (to be folded), a
depthwise and a pointwise convolution, and a residual sum of two branches.

    python -m pip install -r requirements.txt     # numpy, onnx, pillow, scikit-learn; Python 3.11
    python train.py [--output FOLDER]             # by default the folder of this script; half a minute on one core

Seeds are fixed and one thread computes, so a second run on the same machine gives the same bytes. Another machine
may round sums differently, and training multiplies such differences: there the weights differ, the pictures do not.
"""

import argparse
import functools
import os
import pathlib
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when NumPy is loaded: several threads would split sums differently

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

Array = NDArray[np.float32]

SEED = 1
TEST_PICTURES = 450
CALIB_PICTURES_PER_CLASS = 10
STEPS = 1260  # of one batch each: each training picture is seen 60 times
BATCH = 64
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 1e-2  # decoupled from the gradient (AdamW), on weights but not on biases or batch normalization
BN_EPSILON, BN_MOMENTUM = 1e-5, 0.9


class Parameter:
    """A tensor of the model, its gradient and what Adam remembers of it; without a gradient it stays as it is."""

    def __init__(self, value: Array, decay: bool = False) -> None:
        self.value, self.decay = value, decay
        self.grad, self.mean, self.square = np.zeros_like(value), np.zeros_like(value), np.zeros_like(value)

    def update(self, rate: float, step: int) -> None:
        self.mean = 0.9 * self.mean + 0.1 * self.grad
        self.square = 0.999 * self.square + 0.001 * self.grad**2
        mean, square = self.mean / (1 - 0.9**step), self.square / (1 - 0.999**step)
        self.value -= rate * (mean / (np.sqrt(square) + 1e-8) + (WEIGHT_DECAY * self.value if self.decay else 0))


class Layer:
    """A node of the model. Tensors are NHWC here, which makes channels the rows of matrices, and NCHW in the model.

    forward() keeps what the next backward() needs; backward() takes the loss's gradient by the output, sets that of
    the parameters and returns that by the input.
    """

    def __init__(self, op: str, name: str, parameters: dict[str, Parameter] | None = None, **attributes: Any):
        self.op, self.name, self.parameters, self.attributes = op, name, parameters or {}, attributes

    def forward(self, x: Array, training: bool) -> Array:
        raise NotImplementedError

    def backward(self, g: Array) -> Array:
        raise NotImplementedError

    def export(self, graph: onnx.GraphProto, *inputs: str) -> str:
        """Appends the node on the values named `inputs`; returns its output's name, which is its own."""
        tensors = [onnx.numpy_helper.from_array(p.value, f"{self.name}.{key}") for key, p in self.parameters.items()]
        names = [*inputs, *(tensor.name for tensor in tensors)]
        graph.initializer.extend(tensors)
        graph.node.append(onnx.helper.make_node(self.op, names, [self.name], self.name, **self.attributes))
        return self.name


class Conv(Layer):
    """Convolution of stride 1 that keeps the size; `depthwise`: one filter a channel. No bias: all go before BN."""

    def __init__(self, name: str, rng: np.random.Generator, cin: int, cout: int, kernel: int, depthwise: bool = False):
        self.depthwise, self.kernel, self.pad = depthwise, kernel, kernel // 2
        shape = (cout, 1 if depthwise else cin, kernel, kernel)
        scale = np.sqrt(2 / np.prod(shape[1:]))
        self.weight = Parameter((rng.standard_normal(shape) * scale).astype(np.float32), decay=True)
        super().__init__("Conv", name, {"weight": self.weight}, kernel_shape=[kernel] * 2, strides=[1, 1],
                         pads=[self.pad] * 4, group=cin if depthwise else 1)

    def forward(self, x: Array, training: bool) -> Array:
        self.shape = x.shape
        padded = np.pad(x, ((0, 0), (self.pad, self.pad), (self.pad, self.pad), (0, 0)))
        self.windows = sliding_window_view(padded, (self.kernel, self.kernel), axis=(1, 2))  # N H W C k k
        if self.depthwise:
            return np.einsum("nhwcij,cij->nhwc", self.windows, self.weight.value[:, 0])
        self.columns = self.windows.reshape(-1, self.weight.value[0].size)
        return (self.columns @ self.weight.value.reshape(len(self.weight.value), -1).T).reshape(*x.shape[:3], -1)

    def backward(self, g: Array) -> Array:
        n, h, w, c = self.shape
        if self.depthwise:
            self.weight.grad = np.einsum("nhwcij,nhwc->cij", self.windows, g)[:, None]
            spread = g[..., None, None] * self.weight.value[:, 0]
        else:
            rows = g.reshape(-1, g.shape[-1])
            self.weight.grad = (rows.T @ self.columns).reshape(self.weight.value.shape)
            spread = (rows @ self.weight.value.reshape(len(self.weight.value), -1)).reshape(self.windows.shape)
        gx = np.zeros((n, h + 2 * self.pad, w + 2 * self.pad, c), np.float32)
        for i, j in np.ndindex(self.kernel, self.kernel):
            gx[:, i:i + h, j:j + w] += spread[..., i, j]
        return gx[:, self.pad:self.pad + h, self.pad:self.pad + w]


class BatchNorm(Layer):
    """Batch normalization: by the batch in training, by the running statistics, which have no gradient, after it."""

    def __init__(self, name: str, channels: int) -> None:
        self.scale, self.bias, self.mean, self.var = (Parameter(np.full(channels, v, np.float32)) for v in (1, 0, 0, 1))
        parameters = {"scale": self.scale, "bias": self.bias, "mean": self.mean, "var": self.var}
        super().__init__("BatchNormalization", name, parameters, epsilon=BN_EPSILON)

    def forward(self, x: Array, training: bool) -> Array:
        mean, var = self.mean.value, self.var.value
        if training:
            mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
            self.mean.value = BN_MOMENTUM * self.mean.value + (1 - BN_MOMENTUM) * mean
            self.var.value = BN_MOMENTUM * self.var.value + (1 - BN_MOMENTUM) * var
        self.inverse = 1 / np.sqrt(var + BN_EPSILON)
        self.normal = (x - mean) * self.inverse
        return self.normal * self.scale.value + self.bias.value

    def backward(self, g: Array) -> Array:
        self.scale.grad, self.bias.grad = (g * self.normal).sum((0, 1, 2)), g.sum((0, 1, 2))
        through_statistics = (self.bias.grad + self.normal * self.scale.grad) / (g.size // g.shape[-1])
        return self.scale.value * self.inverse * (g - through_statistics)


class Relu(Layer):
    def __init__(self, name: str) -> None:
        super().__init__("Relu", name)

    def forward(self, x: Array, training: bool) -> Array:
        self.on = x > 0
        return x * self.on

    def backward(self, g: Array) -> Array:
        return g * self.on


class MaxPool(Layer):
    """Maximum of 2x2; a tie passes its gradient in equal parts."""

    def __init__(self, name: str) -> None:
        super().__init__("MaxPool", name, kernel_shape=[2, 2], strides=[2, 2])

    def forward(self, x: Array, training: bool) -> Array:
        n, h, w, c = x.shape
        blocks = x.reshape(n, h // 2, 2, w // 2, 2, c)
        out = blocks.max((2, 4), keepdims=True)
        self.share = (blocks == out).astype(np.float32)
        self.share /= self.share.sum((2, 4), keepdims=True)
        return out[:, :, 0, :, 0]

    def backward(self, g: Array) -> Array:
        n, h, w, c = g.shape
        return (self.share * g[:, :, None, :, None]).reshape(n, 2 * h, 2 * w, c)


class Head(Layer):
    """Mean over the picture, then a fully connected layer: the logits."""

    def __init__(self, name: str, rng: np.random.Generator, cin: int, classes: int) -> None:
        self.weight = Parameter((rng.standard_normal((classes, cin)) / np.sqrt(cin)).astype(np.float32), decay=True)
        self.bias = Parameter(np.zeros(classes, np.float32))
        super().__init__("Gemm", name, {"weight": self.weight, "bias": self.bias}, transB=1)

    def forward(self, x: Array, training: bool) -> Array:
        self.shape, self.pooled = x.shape, x.mean((1, 2))
        return self.pooled @ self.weight.value.T + self.bias.value

    def backward(self, g: Array) -> Array:
        self.weight.grad, self.bias.grad = g.T @ self.pooled, g.sum(0)
        return np.broadcast_to((g @ self.weight.value)[:, None, None] / (self.shape[1] * self.shape[2]), self.shape)

    def export(self, graph: onnx.GraphProto, *inputs: str) -> str:
        average = Layer("GlobalAveragePool", "average").export(graph, *inputs)
        return super().export(graph, Layer("Flatten", "flatten", axis=1).export(graph, average))


class Sequence(Layer):
    """Layers one after another; with `residual`, their input is added to what they make of it."""

    def __init__(self, layers: list[Layer], residual: str = "") -> None:
        self.layers, self.residual = layers, residual
        super().__init__("", "", {f"{each.name}.{k}": p for each in layers for k, p in each.parameters.items()})

    def forward(self, x: Array, training: bool) -> Array:
        out = functools.reduce(lambda value, layer: layer.forward(value, training), self.layers, x)
        return out + x if self.residual else out

    def backward(self, g: Array) -> Array:
        out = functools.reduce(lambda grad, layer: layer.backward(grad), reversed(self.layers), g)
        return out + g if self.residual else out

    def export(self, graph: onnx.GraphProto, *inputs: str) -> str:
        out = functools.reduce(lambda value, layer: layer.export(graph, value), self.layers, inputs[0])
        return Layer("Add", self.residual).export(graph, out, *inputs) if self.residual else out


def digits_network(rng: np.random.Generator) -> Sequence:
    return Sequence([
        Conv("conv1", rng, 1, 16, 3), BatchNorm("bn1", 16), Relu("relu1"),
        Conv("conv2", rng, 16, 32, 3), BatchNorm("bn2", 32), Relu("relu2"), MaxPool("pool"),
        Conv("depthwise", rng, 32, 32, 3, depthwise=True), BatchNorm("bn3", 32), Relu("relu3"),
        Conv("pointwise", rng, 32, 64, 1), BatchNorm("bn4", 64), Relu("relu4"),
        Sequence([Conv("conv3", rng, 64, 64, 3), BatchNorm("bn5", 64)], residual="add"), Relu("relu5"),
        Head("logits", rng, 64, 10)])


def augment(x: Array, rng: np.random.Generator) -> Array:
    """Shifts some pictures by a pixel and varies their contrast, so that so few pictures generalize."""
    windows = sliding_window_view(np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), x.shape[1:3], axis=(1, 2))
    dy, dx = rng.choice(3, (2, len(x)), p=[0.15, 0.7, 0.15])
    shifted = windows[np.arange(len(x)), dy, dx].transpose(0, 2, 3, 1)
    return shifted * rng.uniform(0.8, 1, (len(x), 1, 1, 1)).astype(np.float32)


def train(network: Layer, x: Array, labels: NDArray[np.int64], rng: np.random.Generator) -> None:
    """Adam on the cross entropy, its rate falling from LEARNING_RATE to 0 along a cosine."""
    for step in range(1, STEPS + 1):
        rows = rng.choice(len(x), BATCH, replace=False)
        out = network.forward(augment(x[rows], rng), training=True)
        odds = np.exp(out - out.max(1, keepdims=True))
        wanted = np.eye(out.shape[1], dtype=np.float32)[labels[rows]]
        network.backward((odds / odds.sum(1, keepdims=True) - wanted) / BATCH)
        rate = LEARNING_RATE * 0.5 * (1 + float(np.cos(np.pi * step / STEPS)))
        for parameter in network.parameters.values():
            parameter.update(rate, step)


def export(network: Layer) -> onnx.ModelProto:
    graph, floats = onnx.GraphProto(name="digits"), onnx.TensorProto.FLOAT
    graph.input.append(onnx.helper.make_tensor_value_info("image", floats, ["N", 1, 8, 8]))
    graph.output.append(onnx.helper.make_tensor_value_info(network.export(graph, "image"), floats, ["N", 10]))
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=7,
                                   producer_name="octavo examples/digits/train.py")
    onnx.checker.check_model(model, full_check=True)
    return model


def write_pictures(folder: pathlib.Path, pictures: NDArray[np.uint8], rows: NDArray[np.int64]) -> list[str]:
    """Writes rows of the data set as PNG files and drops those of earlier runs; returns paths from folder's parent."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("digit_*.png"):
        old.unlink()
    for row in rows:
        Image.fromarray(pictures[row]).save(folder / f"digit_{row:04}.png", optimize=True)
    return [f"{folder.name}/digit_{row:04}.png" for row in rows]


def top1(model: pathlib.Path, labels: pathlib.Path) -> tuple[int, int]:
    """Right answers and pictures of what was written: reads the files back and runs the model by ONNX's reference."""
    lines = [line.rsplit(" ", 1) for line in labels.read_text().splitlines()]
    pictures = np.stack([np.asarray(Image.open(labels.parent / path), np.float32) / 255 for path, _ in lines])
    logits = ReferenceEvaluator(str(model)).run(None, {"image": pictures[:, None]})[0]
    return int((logits.argmax(1) == [int(label) for _, label in lines]).sum()), len(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the digits classifier; writes its model, pictures and labels.")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    output: pathlib.Path = parser.parse_args().output

    digits = load_digits()
    labels: NDArray[np.int64] = digits.target.astype(np.int64)
    pictures = ((digits.images.astype(np.int64) * 255 + 8) // 16).astype(np.uint8)  # 0..16 to 0..255, rounded
    train_rows, test_rows = train_test_split(np.arange(len(labels)), test_size=TEST_PICTURES, stratify=labels,
                                             random_state=SEED)
    by_class = [train_rows[labels[train_rows] == digit][:CALIB_PICTURES_PER_CLASS] for digit in range(10)]
    write_pictures(output / "calib", pictures, np.concatenate(by_class))
    paths = write_pictures(output / "test", pictures, test_rows)
    label_file, model_file = output / "test_labels.txt", output / "digits.onnx"
    label_file.write_text("".join(sorted(f"{path} {n}\n" for path, n in zip(paths, labels[test_rows]))), newline="\n")

    rng = np.random.default_rng(SEED)
    network = digits_network(rng)
    train(network, pictures[train_rows, :, :, None].astype(np.float32) / 255, labels[train_rows], rng)
    model_file.write_bytes(export(network).SerializeToString(deterministic=True))
    right, count = top1(model_file, label_file)
    print(f"top-1 on {count} held-out pictures: {right / count:.2%} ({right} right)")


if __name__ == "__main__":
    main()
