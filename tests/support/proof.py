"""What the proofs by runtimes share: models, samples, the command, our own run of what it wrote, and how to compare."""
from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[2]
# Empty: slow builds, such as those with sanitizers, prove the writers on small models alone.
SHARED = os.environ.get("OCTAVO_SHARED_DATA", str(REPOSITORY.parent / "shared" / "data"))

Array = np.ndarray


@dataclass(frozen=True)
class Subject:
    """A model to prove writers on: `flags` are those of `octavo quantize` with samples and preprocessing."""

    name: str
    path: Path
    input: str
    flags: tuple[str, ...]
    samples: Callable[[], list[Array]]
    labels: Callable[[], list[int]] | None = None
    decide: Callable[[list[Array]], Array] | None = None


class Checks:
    """Says what was found, and ends the process with what failed."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def __call__(self, what: str, holds: bool) -> None:
        print("ok  " if holds else "FAIL", what, flush=True)
        if not holds:
            self.failures.append(what)

    def finish(self) -> None:
        sys.exit(f"{len(self.failures)} checks failed" if self.failures else 0)


def classes(outputs: list[Array]) -> Array:
    return outputs[0].reshape(outputs[0].shape[0], -1).argmax(1)


def digits(count: int = 200) -> Subject:
    folder = REPOSITORY / "examples" / "digits"
    lines = [line.rsplit(" ", 1) for line in (folder / "test_labels.txt").read_text().splitlines()][:count]

    def samples() -> list[Array]:
        return [np.asarray(Image.open(folder / path), np.float32)[None, None] / np.float32(255) for path, _ in lines]

    flags = ("--images", str(folder / "calib"), "--pixel-range", "0,1")
    return Subject("digits", folder / "digits.onnx", "image", flags, samples, lambda: [int(label) for _, label in lines],
                   classes)


def made_net(work: Path, opset: int) -> Subject:
    """Residual blocks, pooling, concatenation and a linear layer, in forms that mean the same in opsets 10 to 21."""
    random = np.random.default_rng(5)
    nodes, constants = [], []

    def node(op_type: str, inputs: list[str], output: str, **attributes: object) -> str:
        nodes.append(helper.make_node(op_type, inputs, [output], name=output + "_node", **attributes))
        return output

    def conv(x: str, name: str, outputs: int, inputs: int, kernel: int, **attributes: object) -> str:
        weight = random.normal(0, (inputs * kernel * kernel) ** -0.5, (outputs, inputs, kernel, kernel))
        for suffix, value in (("_w", weight), ("_b", random.normal(0, 0.1, outputs))):
            constants.append(numpy_helper.from_array(value.astype(np.float32), name + suffix))
        pads = [kernel // 2] * 4
        return node("Conv", [x, name + "_w", name + "_b"], name, kernel_shape=[kernel, kernel], pads=pads, **attributes)

    a = node("Relu", [conv("x", "c1", 8, 3, 3)], "r1")
    b = node("Relu", [conv(a, "c2", 8, 8, 3)], "r2")
    s = node("Relu", [node("Add", [conv(b, "c3", 8, 8, 3), a], "sum")], "r3")
    p = node("MaxPool", [s], "pool", kernel_shape=[2, 2], strides=[2, 2])
    k = node("Concat", [conv(p, "c4", 8, 8, 1), conv(p, "c5", 8, 1, 3, group=8)], "joined", axis=1)
    m = node("AveragePool", [conv(k, "c6", 16, 16, 1)], "mean", kernel_shape=[2, 2], strides=[2, 2])
    f = node("Flatten", [node("GlobalAveragePool", [m], "global")], "flat", axis=1)
    constants.append(numpy_helper.from_array(random.normal(0, 0.25, (10, 16)).astype(np.float32), "fc_w"))
    constants.append(numpy_helper.from_array(random.normal(0, 0.1, 10).astype(np.float32), "fc_b"))
    node("Gemm", [f, "fc_w", "fc_b"], "y", transB=1)
    values = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 16, 16]),
              helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10])]
    graph = helper.make_graph(nodes, "made", values[:1], values[1:], constants)
    path = work / f"made_{opset}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=5), path)
    # Fields that vary smoothly: pooled means of white noise would hardly differ from sample to sample.
    waves = random.normal(0, 1, (48, 3, 4, 4)).repeat(4, 2).repeat(4, 3).astype(np.float32)
    folder = work / "made_samples"
    folder.mkdir(parents=True, exist_ok=True)
    for i, wave in enumerate(waves[:16]):
        np.save(folder / f"{i:02}.npy", wave[None])
    return Subject(f"made net, opset {opset}", path, "x", ("--images", str(folder)),
                   lambda: [wave[None] for wave in waves[16:]], None, classes)


def shared_models(most: int, skip: Iterable[str] = ()) -> list[Subject]:
    """Those of ../shared/data, or none with a printed reason. `most`: samples of each."""
    folder = Path(SHARED)
    if not SHARED or not (folder / "models").is_dir():
        print("skip the models of shared data:", f"there is no folder {folder}" if SHARED else "OCTAVO_SHARED_DATA is empty")
        return []
    sys.path.insert(0, str(REPOSITORY / "bench" / "accuracy"))
    from itertools import islice

    import zoo

    def subject(model: zoo.Model) -> Subject:
        calibration = model.calibration_folder(folder, Path(os.environ.get("TMPDIR", "/tmp")) / f"octavo-{model.name}")
        labelled = model.metric is zoo.TopK
        samples = list(islice(model.evaluation(folder), most))
        return Subject(model.name, model.path(folder), model.input,
                       ("--images", str(calibration), *model.flags, "--calibrate-steps", "50"),
                       lambda: [x for x, _ in samples], (lambda: [int(t) for _, t in samples]) if labelled else None,
                       model.decide)

    return [subject(model) for model in zoo.ZOO.values() if model.name not in skip]


def run_command(octavo: str, *arguments: object) -> None:
    done = subprocess.run([octavo, *map(str, arguments), "--quiet"], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"octavo {' '.join(map(str, arguments))}: {done.stderr or done.stdout}")


def quantize(octavo: str, subject: Subject, output: Path, *more: object) -> Path:
    run_command(octavo, "quantize", subject.path, *subject.flags, "--no-verify", "-o", output, *more)
    return output


def our_outputs(runner: str, model: Path, samples: list[Array], work: Path,
                backend: str = "onnxruntime") -> list[list[Array]]:
    """Outputs of each sample by Octavo's executor, with the arithmetic of a backend."""
    for old in work.glob("ours*.npy"):
        old.unlink()
    np.save(work / "ours_in.npy", np.concatenate(samples))
    subprocess.run([runner, model, work / "ours_in.npy", work / "ours", backend], check=True)
    files = sorted(file for file in work.glob("ours*.npy") if file.name != "ours_in.npy")
    return [list(outputs) for outputs in zip(*(np.load(file) for file in files))]


def signal_to_noise(reference: list[list[Array]], other: list[list[Array]]) -> float:
    """In dB, over all outputs of all samples."""
    pairs = [(a.astype(np.float64), b.reshape(a.shape)) for x, y in zip(reference, other) for a, b in zip(x, y)]
    noise = sum(float(np.sum((a - b) ** 2)) for a, b in pairs)
    return 10 * np.log10(sum(float(np.sum(a * a)) for a, _ in pairs) / max(noise, 1e-300))


def agreement(subject: Subject, reference: list[list[Array]], other: list[list[Array]]) -> tuple[float, int]:
    """Share of decisions that are the same, in percent, and how many are not."""
    pairs = [(subject.decide(a), subject.decide([y.reshape(x.shape) for x, y in zip(a, b)]))
             for a, b in zip(reference, other)]
    different = sum(int(np.sum(a != b)) for a, b in pairs)
    return 100 * (1 - different / sum(a.size for a, _ in pairs)), different


def top1(subject: Subject, outputs: list[list[Array]]) -> float:
    """In percent."""
    labels = subject.labels()
    return 100 * float(np.mean([subject.decide(out)[0] == label for out, label in zip(outputs, labels)]))


def compare(check: Checks, what: str, subject: Subject, ours: list[list[Array]], theirs: list[list[Array]],
            least_db: float, alike: float = 99.5, points: float = 0.2) -> None:
    """The runtime's run of a file beside our own run of the same graph: signal to noise, decisions alike in percent, or all
    but one, and accuracy within so many points, or one sample."""
    ratio = signal_to_noise(ours, theirs)
    text = f"{subject.name}, {what}: {ratio:.1f} dB to our own run"
    good = ratio >= least_db
    if subject.decide:
        share, different = agreement(subject, ours, theirs)
        text += f", decisions {share:.2f} % alike"
        good = good and (share >= alike or different <= 1)
    if subject.labels:
        mine, other = top1(subject, ours), top1(subject, theirs)
        text += f", top-1 {other:.2f} % and ours {mine:.2f} %"
        good = good and abs(mine - other) <= max(points, 100.1 / len(ours))
    check(text, good)
