#!/usr/bin/env python3
"""Writes observers.txt: what PyTorch's observers and fake-quantizers make of small tensors; torch_cases.py says how.

Made with Debian 12's python3-torch 1.13.1 and numpy 1.24.2:  python3 make_observers.py > observers.txt
"""
import numpy as np
import torch

import torch_cases as cases
from torch_cases import scheme

SCHEMES = [
    scheme("quint8"),
    scheme("quint8", symmetric=1),
    scheme("quint8", symmetric=1, explicit_range=1),
    scheme("qint8"),
    scheme("qint8", symmetric=1),
    scheme("qint8", symmetric=1, symmetric_range=1),
    scheme("quint8", reduce_range=1),
    scheme("qint8", symmetric=1, reduce_range=1),
    scheme("quint8", bits=4, explicit_range=1),
    scheme("qint8", bits=4, symmetric=1, symmetric_range=1),
]
FEW = SCHEMES[:5]


def sequences(rng):
    """Batches that one observer sees, one after the other; all of three channels along dimension 1."""
    def normal(scale, shift=0.0, shape=(2, 3, 4)):
        return (rng.standard_normal(shape) * scale + shift).astype(np.float32)
    outlier = normal(1.0)
    outlier[1, 2, 3] = 1000.0
    return {
        "one": [normal(1.0)],
        "several": [normal(1.0), normal(3.0), normal(0.5), normal(2.0, 1.0)],
        "positive": [np.abs(normal(2.0)) + np.float32(0.5), np.abs(normal(2.0)) + np.float32(0.25)],
        "negative": [-np.abs(normal(2.0)) - np.float32(0.5)],
        "constant": [np.full((2, 3, 4), 2.0, np.float32)],
        "zeros": [np.zeros((2, 3, 4), np.float32)],
        "zeros_first": [np.zeros((2, 3, 4), np.float32), normal(1.0)],
        "outlier": [outlier, normal(1.0)],
        "denormal": [normal(1e-40)],
        "tiny": [normal(1e-6)],
        "huge": [normal(1e30)],
        "shifted": [normal(0.1, 5.0), normal(0.1, -5.0)],
        "image": [normal(1.0, shape=(1, 3, 3, 5)), normal(2.0, shape=(1, 3, 3, 5))],
        "matrix": [normal(0.3, shape=(5, 3))],
    }


def histogram_sequences(rng):
    def normal(scale, shift=0.0, shape=(1, 400)):
        return (rng.standard_normal(shape) * scale + shift).astype(np.float32)
    outlier = normal(1.0)
    outlier[0, 7] = 300.0
    return {
        "one": [normal(1.0)],
        "within_one": [normal(0.2)],
        "after_relu": [np.maximum(normal(4.0), 0)],
        "widening": [normal(1.0), normal(3.0), normal(9.0, 2.0)],
        "same_range": [normal(2.0).clip(-3, 3), normal(2.0).clip(-3, 3)],
        "outlier": [normal(1.0), outlier, normal(1.0)],
        "constant": [np.full((1, 400), 1.5, np.float32), normal(2.0)],
        "zeros": [np.zeros((1, 20), np.float32)],
        "between_whole_numbers": [np.array([[-1.5, 2.5, 2.25]], np.float32)],
        "denormal": [normal(1e-40)],
    }


def main():
    torch.set_num_threads(1)
    print(f"# make_observers.py, torch {torch.__version__}, numpy {np.__version__}")
    rng = np.random.default_rng(20240601)
    for title, batches in sequences(rng).items():
        cases.write_sequence(print, title, batches)
        constant = 0.1 if title == "several" else 0.01

        def write(name, fake_quantizer, scheme, batch_size=1, quantized=False):
            cases.write_case(print, name, fake_quantizer, scheme, 1, constant, batch_size, batches, quantized)

        for name in cases.MIN_MAX:
            for each in SCHEMES:
                write(name, "FakeQuantize", each, quantized=title in ("one", "several"))
        for name in cases.MIN_MAX[1::2]:
            write(name, "FakeQuantize", SCHEMES[0], batch_size=3)
            for each in SCHEMES:
                write(name, "FusedMovingAvgObsFakeQuantize", each)
        for name in cases.LSQ:
            for each in FEW:
                write(name, "LearnableFakeQuantize", each)
            write(name, "FakeQuantize", SCHEMES[0], batch_size=2)
        print("end")
        for learnable in (False, True):
            for axis in (-1, 1):
                for each in (SCHEMES[0], SCHEMES[5], SCHEMES[8]):
                    cases.write_gradient(print, rng, each, axis, learnable, batches[0])
    for title, batches in histogram_sequences(rng).items():
        cases.write_sequence(print, "histogram_" + title, batches)
        for each in (SCHEMES[0], SCHEMES[5]):
            cases.write_case(print, "HistogramObserver", "FakeQuantize", each, -1, 0.01, 1, batches)
        print("end")


if __name__ == "__main__":
    main()
