#!/usr/bin/env python3
"""Writes observers.txt: what PyTorch's observers and fake quantization make of small tensors.

Made with Debian 12's python3-torch 1.13.1 and numpy 1.24.2:  python3 make_observers.py > observers.txt
Floats are the hexadecimal digits of their 32 bits. All-zero ranges are left out: there Octavo departs from
PyTorch on purpose (docs/numerics.md).
"""
import sys

import numpy as np
import torch
from torch.ao.quantization import observer as obs


def hexes(array):
    return " ".join(f"{v:08x}" for v in np.ascontiguousarray(array, np.float32).view(np.uint32).ravel())


SCHEMES = [  # qtype, bits, symmetric, symmetric_range
    ("quint8", 8, 0, 0),
    ("quint8", 8, 1, 0),
    ("qint8", 8, 0, 0),
    ("qint8", 8, 1, 0),
    ("qint8", 8, 1, 1),
    ("quint8", 4, 0, 0),
    ("qint8", 4, 1, 1),
    ("qint8", 7, 1, 0),
]
OBSERVERS = ["MinMaxObserver", "MovingAverageMinMaxObserver", "PerChannelMinMaxObserver",
             "MovingAveragePerChannelMinMaxObserver"]


def sequences(rng):
    """Batches that one observer sees, one after the other; all of three channels along dimension 1."""
    normal = lambda scale, shift=0.0: (rng.standard_normal((2, 3, 4)) * scale + shift).astype(np.float32)
    outlier = normal(1.0)
    outlier[1, 2, 3] = 1000.0
    return {
        "one": [normal(1.0)],
        "several": [normal(1.0), normal(3.0), normal(0.5), normal(2.0, 1.0)],
        "positive": [np.abs(normal(2.0)) + np.float32(0.5), np.abs(normal(2.0)) + np.float32(0.25)],
        "negative": [-np.abs(normal(2.0)) - np.float32(0.5)],
        "constant": [np.full((2, 3, 4), 2.0, np.float32)],
        "outlier": [outlier, normal(1.0)],
        "denormal": [normal(1e-40)],
        "tiny": [normal(1e-6)],
        "huge": [normal(1e37)],
        "shifted": [normal(0.1, 5.0), normal(0.1, -5.0)],
    }


def make(name, scheme, constant):
    qtype, bits, symmetric, symmetric_range = scheme
    per_channel = "PerChannel" in name
    kind = ("per_channel_" if per_channel else "per_tensor_") + ("symmetric" if symmetric else "affine")
    args = {"dtype": getattr(torch, qtype), "qscheme": getattr(torch, kind)}
    if bits != 8 or symmetric_range:  # PyTorch moves the middle of quint8 to 127 where the range is given
        low = 0 if qtype == "quint8" else -(1 << (bits - 1)) + symmetric_range
        high = (1 << bits) - 1 if qtype == "quint8" else (1 << (bits - 1)) - 1
        args.update(quant_min=low, quant_max=high)
    if per_channel:
        args["ch_axis"] = 1
    if "MovingAverage" in name:
        args["averaging_constant"] = constant
    return getattr(obs, name)(**args)


def write_case(name, scheme, constant, batches):
    observer = make(name, scheme, constant)
    for batch in batches:
        observer(torch.from_numpy(batch))
    scale, zero_point = observer.calculate_qparams()
    low, high = observer.quant_min, observer.quant_max
    last = torch.from_numpy(batches[-1])
    if "PerChannel" in name:
        fake = torch.fake_quantize_per_channel_affine(last, scale, zero_point.int(), 1, low, high)
        shape = (1, -1, 1)
    else:
        fake = torch.fake_quantize_per_tensor_affine(last, float(scale), int(zero_point), low, high)
        shape = (1,)
    # ONNX QuantizeLinear, in numpy's own words
    steps = np.rint(batches[-1] / scale.numpy().reshape(shape))
    integers = np.clip(steps + zero_point.numpy().reshape(shape), low, high).astype(np.int32)
    print("case", name, *scheme, constant)
    print("scale", hexes(scale.numpy()))
    print("zero_point", *zero_point.numpy().ravel())
    print("fake", hexes(fake.numpy()))
    print("quantized", *integers.ravel())


def main():
    print(f"# make_observers.py, torch {torch.__version__}, numpy {np.__version__}", file=sys.stdout)
    rng = np.random.default_rng(20240601)
    for title, batches in sequences(rng).items():
        print("sequence", title)
        for batch in batches:
            print("batch", hexes(batch))
        for name in OBSERVERS:
            for scheme in SCHEMES:
                write_case(name, scheme, 0.1 if title == "several" else 0.01, batches)
    print("end")


if __name__ == "__main__":
    main()
