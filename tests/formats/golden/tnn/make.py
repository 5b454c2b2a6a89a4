#!/usr/bin/env python3
"""Makes the samples of TNN's formats beside this file, and what TNN's quantization_cmd makes of them.

    python3 make.py

Written from the layouts and formulas of TNN's sources (Tencent/TNN, last commit 2025-03-25: source/tnn/interpreter/tnn,
tools/quantization) in numpy alone, so that nothing of Octavo vouches for itself. Inputs and weights are small multiples
of powers of two: float sums are exact in any order, and every number is the same to the bit on any machine.
Made with numpy 2.4.6.
"""
import pathlib
import struct

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
MAGIC = {1: 0xFABC0002, 2: 0xFABC0004}
F32, I8, I32 = 0, 2, 3
LAYER_TYPES = {"Convolution": 1, "InnerProduct": 19, "BlobScale": 600}
f32 = np.float32

# --- the network ---------------------------------------------------------------------------------------------------
rng = np.random.default_rng(20)
eighths = lambda *shape: (rng.integers(-8, 9, shape) / 8).astype(f32)
WEIGHTS = {"conv1": eighths(4, 2, 3, 3), "dw": eighths(4, 1, 3, 3), "fc": eighths(3, 4)}
BIASES = {"conv1": eighths(4) * 4, "dw": eighths(4) * 4, "fc": eighths(3) * 4}
SAMPLES = [rng.integers(0, 32, (1, 2, 8, 8)).astype(f32) for _ in range(3)]

CONV1 = "1 2 4 3 3 1 1 1 1 1 -1 1 1"
DW = "4 1 4 3 3 1 1 1 1 1 -1 1 1"
TAIL = ["Pooling mp 1 1 r2 m 0 2 2 2 2 0 0 -1 -1 -1 0 0 -1 -1", "Pooling gap 1 1 m g 1 0 0 1 1 0 0 -1 -1 -1 0 0 -1 -1",
        "Reshape flat 1 1 g f 0 2 2 0 4 0", "InnerProduct fc 1 1 f out 3 1 0 1"]
FLOAT_LAYERS = [f"Convolution conv1 1 1 x c1 {CONV1} 0", "ReLU relu1 1 1 c1 r1", f"Convolution dw 1 1 r1 d {DW} 0",
                "Add sum 2 1 r1 d sum -1", "ReLU relu2 1 1 sum r2"] + TAIL
# TNN quantizes after its optimizer has put relu1 into conv1.
INT8_LAYERS = [f"QuantizedConvolution conv1 1 1 x r1 {CONV1} 1", f"QuantizedConvolution dw 1 1 r1 d {DW} 0",
               "QuantizedAdd sum 2 1 r1 d sum -1", "QuantizedReLU relu2 1 1 sum r2", "Quantized" + TAIL[0], TAIL[1],
               TAIL[2], "Quantized" + TAIL[3]]
BLOBS = ["d", "f", "g", "m", "out", "r1", "r2", "sum", "x"]


def conv(x, weight, bias, group):
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    outputs, per_group = weight.shape[:2]
    y = np.zeros((1, outputs, 8, 8), f32)
    for o in range(outputs):
        first = o // (outputs // group) * per_group
        for i in range(per_group):
            for r in range(3):
                for c in range(3):
                    y[0, o] += weight[o, i, r, c] * padded[0, first + i, r:r + 8, c:c + 8]
        y[0, o] += bias[o]
    return y


def run(x):
    blobs = {"x": x}
    blobs["r1"] = np.maximum(conv(x, WEIGHTS["conv1"], BIASES["conv1"], 1), 0)
    blobs["d"] = conv(blobs["r1"], WEIGHTS["dw"], BIASES["dw"], 4)
    blobs["sum"] = blobs["r1"] + blobs["d"]
    blobs["r2"] = np.maximum(blobs["sum"], 0)
    blobs["m"] = blobs["r2"].reshape(1, 4, 4, 2, 4, 2).max(axis=(3, 5))
    blobs["f"] = blobs["m"].sum(axis=(2, 3), dtype=f32) / f32(16)
    blobs["out"] = blobs["f"] @ WEIGHTS["fc"].T + BIASES["fc"]
    return blobs


# --- quantization_cmd with MIN_MAX for blobs and weights -------------------------------------------------------------
def blob_scales(per_channel):
    every = [run(x) for x in SAMPLES]
    scales = {}
    for name in every[0]:
        axes = (0, 2, 3) if per_channel and every[0][name].ndim == 4 else None
        largest = np.max([np.abs(blobs[name]).max(axis=axes) for blobs in every], axis=0).reshape(-1)
        interval = f32(2048) / largest.astype(f32)
        scales[name] = np.array([(2047 + 0.5) / float(i) / 127.0 for i in interval]).astype(f32)
    # ReLU and max pooling hand their scale to what they read.
    scales["r2"] = scales["m"]
    scales["sum"] = scales["r2"]
    return scales


def half_away(values):
    values = values.astype(np.float64)  # where adding a half is exact
    return np.trunc(values + np.copysign(0.5, values))


def quantize(name, s_in, merged):
    weight = WEIGHTS[name]
    depthwise = name == "dw"
    if not depthwise:
        steps = s_in if s_in.size == 1 else s_in.reshape((1, -1) + (1,) * (weight.ndim - 2))
        weight = weight * steps
    rows = weight.reshape(1 if merged else weight.shape[0], -1)
    scale = np.abs(rows).max(axis=1) / f32(127)
    integers = np.clip(half_away(rows.astype(f32) * (f32(1) / scale)[:, None]), -127, 127).astype(np.int8)
    if depthwise:
        scale = scale * s_in[:1 if merged or s_in.size == 1 else None]
    bias = np.trunc(BIASES[name] / scale).astype(np.int32)
    return integers.reshape(-1), bias, scale.astype(f32)


# --- the files -----------------------------------------------------------------------------------------------------
def buffer(values, dtype, version, dims=()):
    raw = np.ascontiguousarray(values).tobytes()
    head = struct.pack("<Iii", MAGIC[version], dtype, len(raw))
    if version == 2:
        head += struct.pack(f"<i{len(dims)}i", len(dims), *dims)
    return head + raw


def string(text):
    return struct.pack("<i", len(text)) + text.encode()


def header(kind, name):
    return struct.pack("<i", LAYER_TYPES[kind]) + string(kind) + string(name)


def float_model(version):
    resources = []
    for name in ("conv1", "dw", "fc"):
        kind = "InnerProduct" if name == "fc" else "Convolution"
        has_bias = b"" if name == "fc" else struct.pack("<i", 1)
        resources.append(header(kind, name) + string(name) + has_bias +
                         buffer(WEIGHTS[name], F32, version, WEIGHTS[name].shape) +
                         buffer(BIASES[name], F32, version, BIASES[name].shape))
    return struct.pack("<Ii", MAGIC[version], len(resources)) + b"".join(resources)


def int8_model(merge_type):
    scales = blob_scales(per_channel=merge_type == 0)

    def blob(name):
        scale = scales[name]
        return (header("BlobScale", name + "_scale_data_") + buffer(np.zeros(scale.size, np.int8), I8, 2) +
                buffer(scale, F32, 2) + buffer(np.zeros(scale.size, np.int32), I32, 2))

    def layer(name, blob_in):
        integers, bias, scale = quantize(name, scales[blob_in], merged=merge_type == 2)
        kind = "InnerProduct" if name == "fc" else "Convolution"
        has_bias = b"" if name == "fc" else struct.pack("<i", 1)
        return (header(kind, name) + string(name) + has_bias + buffer(integers, I8, 2) + buffer(bias, I32, 2) +
                buffer(np.zeros(scale.size, np.int8), I8, 2) + buffer(scale, F32, 2))

    resources = [blob("x"), layer("conv1", "x"), blob("r1"), layer("dw", "r1"), blob("d"), blob("sum"), blob("r2"),
                 blob("m"), blob("f"), layer("fc", "f"), blob("out")]
    return struct.pack("<Ii", MAGIC[2], len(resources)) + b"".join(resources)


def proto(version, blobs, layers):
    sizes = "4 1 2 8 8 0" if version == 2 else "1 2 8 8"
    lines = [f"1 {len(blobs)} 1 {MAGIC[version]} ", f"x {sizes} ", " " + " ".join(sorted(blobs)) + " ", "out ",
             f" {len(layers)} "] + [layer + " " for layer in layers]
    return "".join(f'"{line},"\n' for line in lines)


def main():
    for version in (1, 2):
        (HERE / f"float_v{version}.tnnproto").write_text(proto(version, BLOBS + ["c1"], FLOAT_LAYERS))
        (HERE / f"float_v{version}.tnnmodel").write_bytes(float_model(version))
    for merge_type in (0, 1, 2):
        (HERE / f"int8_t{merge_type}.tnnproto").write_text(proto(2, BLOBS, INT8_LAYERS))
        (HERE / f"int8_t{merge_type}.tnnmodel").write_bytes(int8_model(merge_type))
    (HERE / "samples").mkdir(exist_ok=True)
    for i, sample in enumerate(SAMPLES):
        (HERE / "samples" / f"x{i}.txt").write_text("".join(f"{value:g}\n" for value in sample.reshape(-1)))


main()
