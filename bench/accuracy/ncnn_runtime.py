"""Runs .param/.bin files in ncnn (PyPI's `ncnn`), one sample at a time, and says which layers run in int8."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import ncnn
import numpy as np

Array = np.ndarray
INTEGER_LAYERS = ("Convolution", "ConvolutionDepthWise", "InnerProduct")


class NcnnModel:
    """A loaded model. Activations stay in 32 bits: the wheel otherwise stores them in 16 where the CPU can."""

    def __init__(self, param: Path, bin: Path | None = None, threads: int = 1, winograd: bool = True) -> None:
        self.param, self.bin = Path(param), Path(bin or Path(param).with_suffix(".bin"))
        self.net = ncnn.Net()
        options = self.net.opt
        options.num_threads = threads
        options.use_winograd_convolution = winograd
        for name in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_packed", "use_bf16_storage"):
            setattr(options, name, False)
        if self.net.load_param(str(self.param)) or self.net.load_model(str(self.bin)):
            raise RuntimeError(f"ncnn cannot load {self.param} with {self.bin}")
        self.inputs, self.outputs = list(self.net.input_names()), list(self.net.output_names())

    @property
    def size(self) -> int:
        return self.param.stat().st_size + self.bin.stat().st_size

    def run(self, sample: Array, blobs: Iterable[str] | None = None) -> list[Array]:
        """What the blobs hold after one sample, 1xCxHxW or the like; by default the outputs. A batch of 1 is added."""
        extractor = self.net.create_extractor()
        extractor.set_light_mode(False)
        extractor.input(self.inputs[0], ncnn.Mat(np.ascontiguousarray(sample[0])))
        found = []
        for name in self.outputs if blobs is None else blobs:
            status, mat = extractor.extract(name)
            if status:
                raise RuntimeError(f"ncnn cannot compute '{name}' of {self.param}")
            found.append(np.array(mat)[None])
        return found

    def run_from(self, blob: str, value: Array, result: str) -> Array:
        """What `result` holds where `blob`, float or int8, holds `value`, 1xCxHxW or the like."""
        extractor = self.net.create_extractor()
        extractor.input(blob, ncnn.Mat(np.ascontiguousarray(value[0])))
        status, mat = extractor.extract(result)
        if status:
            raise RuntimeError(f"ncnn cannot compute '{result}' from '{blob}' of {self.param}")
        return np.array(mat)[None]


def run_ncnn(param: Path, bin: Path | None, samples: Iterable[Array], outputs: list[str]) -> Iterator[list[Array]]:
    """These outputs of each sample: a .param file has them in the order of its layers."""
    model = NcnnModel(param, bin)
    for sample in samples:
        yield model.run(sample, outputs)


def integer_layers(param: Path) -> dict[str, tuple[str, int]]:
    """Layers that ncnn computes with its int8 kernels: name → type and int8_scale_term (above 100: int8 out as well)."""
    layers = {}
    for line in Path(param).read_text().splitlines()[2:]:
        words = line.split()
        if words[0] not in INTEGER_LAYERS:
            continue
        parameters = dict(word.split("=", 1) for word in words[4 + int(words[2]) + int(words[3]):])
        if int(parameters.get("8", 0)):
            layers[words[1]] = words[0], int(parameters["8"])
    return layers
