"""The ways to quantize a model that are compared. Each gives a function that runs the result, its size and the time.

Peers run with their defaults and on the same calibration samples. Every result is run exactly, not as an AVX2
machine would: 8-bit kernels there add pairs of products in 16 bits, which saturates and says nothing about the
quantizer. ONNX Runtime is exact with `session.x64quantprecision`, OpenVINO with its fake-quantized float graph.
"""
from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort

import command
from zoo import Array, Model

Run = Callable[[Array], list[Array]]


@dataclass(frozen=True)
class Job:
    """One model to quantize: where its data lies, a folder of its own to write in, and how many threads to use."""

    model: Model
    data: Path
    scratch: Path
    threads: int
    octavo: Path


@dataclass(frozen=True)
class Quantized:
    run: Run
    size: int  # bytes on disk
    seconds: float  # reading the pictures, calibrating, writing; not importing the tool


def onnx_runner(path: Path, input: str, threads: int) -> Run:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {input: x})


def float_model(job: Job) -> Quantized:
    path = job.model.path(job.data)
    return Quantized(onnx_runner(path, job.model.input, job.threads), path.stat().st_size, 0.0)


# Percentile keeps every activation of a chunk in memory. All 100 pictures are 5.2 GB for EfficientNet-Lite0 (and as
# much again in part for its copies), so it gets them in two chunks; the other models need at most 4 GB whole.
PERCENTILE_CHUNK = {"efficientnet_lite0": 50}


def ort_static(job: Job, percentile: bool) -> Quantized:
    """ONNX Runtime as its documentation recommends: pre-process, then quantize_static; QDQ, u8 × s8, per channel."""
    from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType,
                                          quantize_static)
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self, samples: list[Array]) -> None:
            self.samples = samples
            self.set_range(0, len(samples))

        def set_range(self, start_index: int, end_index: int) -> None:
            self.rest = iter(self.samples[start_index:end_index])

        def get_next(self) -> dict[str, Array] | None:
            sample = next(self.rest, None)
            return None if sample is None else {job.model.input: sample}

        def __len__(self) -> int:
            return len(self.samples)

    method = CalibrationMethod.Percentile if percentile else CalibrationMethod.MinMax
    chunk = PERCENTILE_CHUNK.get(job.model.name) if percentile else None
    prepared, out = job.scratch / "prepared.onnx", job.scratch / "quantized.onnx"
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        quant_pre_process(job.model.path(job.data), prepared)
        quantize_static(prepared, out, Reader(list(job.model.calibration(job.data))), quant_format=QuantFormat.QDQ,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True,
                        calibrate_method=method, extra_options={"CalibStridedMinMax": chunk} if chunk else None)
    seconds = time.perf_counter() - start
    return Quantized(onnx_runner(out, job.model.input, job.threads), out.stat().st_size, seconds)


def nncf_default(job: Job) -> Quantized:
    """`nncf.quantize` on the OpenVINO model, its defaults but for the number of samples: all of them.

    Left at 300, it would see six of the ten classes of CIFAR's 500 files, which lie class by class; that
    costs it 0.6 to 0.9 dB.
    """
    import nncf
    import openvino as ov

    start = time.perf_counter()
    core = ov.Core()
    model = core.read_model(job.model.path(job.data))
    samples = list(job.model.calibration(job.data))
    with contextlib.redirect_stdout(io.StringIO()):
        model = nncf.quantize(model, nncf.Dataset(samples), subset_size=len(samples))
    out = job.scratch / "quantized.xml"
    ov.save_model(model, out, compress_to_fp16=False)
    seconds = time.perf_counter() - start
    compiled = core.compile_model(model, "CPU", {"LP_TRANSFORMS_MODE": "NO", "INFERENCE_PRECISION_HINT": "f32",
                                                 "INFERENCE_NUM_THREADS": job.threads})
    size = out.stat().st_size + out.with_suffix(".bin").stat().st_size
    return Quantized(lambda x: [np.array(value) for value in compiled([x]).values()], size, seconds)


def octavo_default(job: Job) -> Quantized:
    """The command as a user types it: its own reading of the pictures, no tuning flags; run by ONNX Runtime."""
    flags = command.samples(job.model, job.data, job.scratch)
    out = job.scratch / "quantized.onnx"
    start = time.perf_counter()
    command.quantize(job.octavo, job.model.path(job.data), out, *flags, threads=job.threads)
    seconds = time.perf_counter() - start
    return Quantized(onnx_runner(out, job.model.input, job.threads), out.stat().st_size, seconds)


METHODS: dict[str, Callable[[Job], Quantized]] = {
    "ort-minmax": lambda job: ort_static(job, percentile=False),
    "ort-percentile": lambda job: ort_static(job, percentile=True),
    "nncf": nncf_default,
    "octavo": octavo_default,
}
