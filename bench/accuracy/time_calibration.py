"""Seconds to quantize SqueezeNet 1.1 on the calibration folder: octavo's whole process beside quantize_static, and
another method (KL after min-max) from saved statistics beside a new calibration.

Both read and preprocess the pictures themselves, both have two threads; imports and ONNX Runtime's pre-processing are
not counted for it. Minimum of several runs, one tool after the other in each.
"""
from __future__ import annotations

import argparse
import logging
import tempfile
import time
from pathlib import Path

from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.calibrate import CalibrationDataReader
from onnxruntime.quantization.shape_inference import quant_pre_process

import command
from zoo import DEFAULT_DATA, REPOSITORY, ZOO, Array, Model


class Reader(CalibrationDataReader):
    """Decodes and preprocesses one picture at a time, as a user's reader does."""

    def __init__(self, model: Model, data: Path) -> None:
        self.name, self.samples = model.input, iter(model.calibration(data))

    def get_next(self) -> dict[str, Array] | None:
        sample = next(self.samples, None)
        return None if sample is None else {self.name: sample}


def seconds_of(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--octavo", type=Path, default=REPOSITORY / "build/release/octavo")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--without-entropy", action="store_true", help="it takes gigabytes and most of the time")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    model = ZOO["squeezenet"]
    with tempfile.TemporaryDirectory() as folder:
        prepared, out = Path(folder) / "prepared.onnx", Path(folder) / "out.onnx"
        quant_pre_process(str(model.path(arguments.data)), str(prepared))

        stats = Path(folder) / "stats"
        images = command.samples(model, arguments.data, Path(folder))

        def ours(*flags: object) -> None:
            command.quantize(arguments.octavo, model.path(arguments.data), out, *flags, threads=2)

        def theirs(method: CalibrationMethod) -> None:
            quantize_static(str(prepared), str(out), Reader(model, arguments.data), quant_format=QuantFormat.QDQ,
                            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True,
                            calibrate_method=method)

        command.run(arguments.octavo, "calibrate", model.path(arguments.data), "-o", stats, "--a-observer",
                    "MinMaxObserver", *images, threads=2)
        method = ["--a-observer", "KLObserver"]
        plain = ["--compensate-rounding", "false"]
        tools = {"octavo": lambda: ours(*images),
                 "KL anew": lambda: ours(*images, *method),
                 "KL from file": lambda: ours("--calibration", stats, *method),
                 "… uncompensated": lambda: ours("--calibration", stats, *method, *plain),
                 "ort minmax": lambda: theirs(CalibrationMethod.MinMax)}
        if not arguments.without_entropy:
            tools["ort entropy"] = lambda: theirs(CalibrationMethod.Entropy)
        best = {name: float("inf") for name in tools}
        for _ in range(arguments.runs):
            for name, work in tools.items():
                best[name] = min(best[name], seconds_of(work))
    for name, seconds in best.items():
        print(f"{name:16} {seconds:6.2f} s   {seconds / best['octavo']:5.2f} x octavo")


if __name__ == "__main__":
    main()
