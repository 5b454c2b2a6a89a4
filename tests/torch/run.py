#!/usr/bin/env python3
"""Compares Octavo's observers, fake-quantizers and gradients with the PyTorch installed here.

run.py DRIVER [SEQUENCES]: makes random tensors of many kinds and shapes with a fixed seed, writes what PyTorch makes of them
to DRIVER's standard input, and passes its verdict on. Exits with 77 where there is no PyTorch.
"""
import pathlib
import subprocess
import sys

SKIPPED = 77
SEED = 20240915

try:
    import numpy as np
    import torch
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(SKIPPED)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "core" / "golden"))
import torch_cases as cases  # noqa: E402


def values(rng, shape):
    """One tensor of a kind that networks have, or that breaks things."""
    normal = rng.standard_normal(shape)
    scale = 2.0 ** rng.integers(-12, 13)
    kind = rng.integers(12)
    if kind == 0:
        return np.maximum(normal, 0) * scale
    if kind == 1:
        return -np.abs(normal) * scale - rng.random()
    if kind == 2:
        return np.full(shape, normal.ravel()[0] * scale)
    if kind == 3:
        return np.zeros(shape)
    if kind == 4:
        normal.ravel()[rng.integers(normal.size)] = 1000 * rng.standard_normal()
        return normal * scale
    if kind == 5:
        return normal * 1e-40
    if kind == 6:
        return normal * 1e30
    if kind == 7:
        return np.rint(normal * 3)
    if kind == 8:
        return rng.uniform(-1, 2, shape) * scale
    if kind == 9:
        return rng.standard_t(2.5, shape) * scale
    return normal * scale + rng.standard_normal() * scale


def random_scheme(rng, per_channel):
    qtype = ["qint8", "quint8"][rng.integers(2)]
    bits = int(rng.choice([8, 8, 8, 8, 2, 3, 4, 5, 6, 7]))
    symmetric = int(rng.integers(2))
    symmetric_range = int(qtype == "qint8" and rng.integers(2))
    explicit = int(bits != 8 or symmetric_range or rng.integers(2))
    reduce_range = int(bits == 8 and not explicit and rng.integers(2) and not (symmetric and qtype == "quint8"))
    return cases.scheme(qtype, bits, symmetric, symmetric_range, reduce_range, explicit)


def write_sequence(out, rng, number):
    shape = tuple(int(n) for n in rng.integers(1, 8, rng.integers(2, 5)))
    large = number % 4 == 0
    if large:
        shape = shape + (int(rng.integers(20, 200)),)
    batches = [values(rng, shape).astype(np.float32) for _ in range(rng.integers(1, 5))]
    if rng.integers(3) == 0:
        batches = [b * np.float32(0.25) + batches[0] for b in batches]
    cases.write_sequence(out, f"random{number}", batches)
    axis = int(rng.integers(len(shape)))
    constant = float(rng.choice([0.01, 0.1, 0.5, 1.0]))

    def write(name, fake_quantizer="FakeQuantize"):
        batched = "Moving" in name or "LSQ" in name
        if "PerChannel" in name and (axis == 0 or "Fused" in fake_quantizer):
            batched = False  # pictures of a batch follow each other along dimension 0
        batch_size = int(rng.integers(1, 4)) if batched else 1
        scheme = random_scheme(rng, "PerChannel" in name)
        cases.write_case(out, name, fake_quantizer, scheme, axis, constant, batch_size, batches, True)

    for name in cases.MIN_MAX + cases.LSQ:
        write(name)
    for name in cases.LSQ:
        write(name, "LearnableFakeQuantize")
    for name in cases.MIN_MAX[1::2]:
        write(name, "FusedMovingAvgObsFakeQuantize")
    if large:
        try:
            write("HistogramObserver")
        except (OverflowError, RuntimeError):  # ranges that PyTorch gives up on: huge, or by far wider than before
            pass
    out("end")
    for learnable in (False, True):
        for gradient_axis in (-1, axis):
            cases.write_gradient(out, rng, random_scheme(rng, False), gradient_axis, learnable, batches[0])


def main():
    torch.set_num_threads(1)
    rng = np.random.default_rng(SEED)
    driver = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, text=True)
    for number in range(int(sys.argv[2]) if len(sys.argv) > 2 else 160):
        write_sequence(lambda *words: print(*words, file=driver.stdin), rng, number)
    driver.stdin.close()
    print(f"torch {torch.__version__}, seed {SEED}")
    sys.exit(driver.wait())


if __name__ == "__main__":
    main()
