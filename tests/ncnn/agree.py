"""agree.py OCTAVO DRIVER WORK: ncnn loads what octavo wrote and computes what our executor foretold.

Made graphs (`octavo_ncnn_models graphs`), the digits model and, where they are, the models of ../shared/data: float
ones against our float run, int8 ones against our run with ncnn's arithmetic, blob by blob and by their decisions.
"""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "tests" / "support"), str(REPOSITORY / "bench" / "accuracy")]
from proof import Array, Checks, Subject, compare, digits, quantize, shared_models, signal_to_noise  # noqa: E402

try:
    from ncnn_runtime import NcnnModel, integer_layers  # noqa: E402
except ImportError as error:
    print(f"skipped: {error}: install tests/requirements.txt")
    sys.exit(77)

FLOAT_TOLERANCE = 1e-4  # of the range of the outputs
ALIKE = 0.999  # of an int8 blob's integers, which are never more than a step apart
# ncnn's packed depthwise kernels take the processor's approximate reciprocal of their scales (docs/ncnn.md).
ALIKE_DEPTHWISE = 0.998
BLOB_SAMPLES = 3


def round_half_away(x: Array) -> Array:
    return np.trunc(x + np.copysign(np.float32(0.5), x)) if x.dtype == np.float64 else round_half_away(x.astype(float))


def scales(model: Path) -> dict[str, np.float32]:
    """Integers a unit of each value that has a pair."""
    graph = onnx.load(model).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    return {node.input[0]: np.float32(1) / constants[node.input[1]].reshape(-1)[0]
            for node in graph.node if node.op_type == "QuantizeLinear"}


class Ours:
    """What the driver wrote: outputs of all samples, blobs of the first."""

    def __init__(self, driver: str, model: Path, samples: list[Array], work: Path) -> None:
        work.mkdir(parents=True, exist_ok=True)
        for old in work.iterdir():
            old.unlink()
        np.save(work / "in.npy", np.concatenate(samples))
        done = subprocess.run([driver, "run", model, work / "in.npy", work, str(BLOB_SAMPLES)], capture_output=True,
                              text=True)
        if done.returncode:
            raise RuntimeError(f"{model}: {done.stderr}")
        self.read_back = float(done.stdout)
        self.param, self.work = work / "model.param", work
        self.names = (work / "outputs.txt").read_text().split()
        stacks = [np.load(work / f"output{i}.npy") for i in range(len(self.names))]
        self.outputs = [list(outputs) for outputs in zip(*stacks)]

    def blobs(self, sample: int) -> dict[str, Array]:
        lines = (self.work / f"blobs{sample}.txt").read_text().splitlines()
        return {line.split(" ", 1)[1]: np.load(self.work / f"blob{sample}_{line.split()[0]}.npy") for line in lines}


def steps_of_int8(param: Path) -> list[tuple[str, str]]:
    """The blob that each layer with an int8 result reads, and the one it writes."""
    integers, found = integer_layers(param), []
    for line in param.read_text().splitlines()[2:]:
        words = line.split()
        bottoms, tops = int(words[2]), int(words[3])
        blobs = words[4:4 + bottoms + tops]
        if integers.get(words[1], ("", 0))[1] > 100:
            found.append((blobs[0], blobs[1]))
    return found


def check_blobs(check: Checks, name: str, model: Path, ours: Ours, net: NcnnModel, samples: list[Array]) -> None:
    """Each layer with an int8 result alone: ncnn gets what our executor feeds it, and gives the same integers."""
    steps, units = steps_of_int8(ours.param), scales(model)
    depthwise = any(kind == "ConvolutionDepthWise" for kind, _ in integer_layers(ours.param).values())
    alike = ALIKE_DEPTHWISE if depthwise else ALIKE
    same = count = 0
    furthest = 0.0
    for i in range(min(BLOB_SAMPLES, len(samples))):
        foretold = ours.blobs(i)

        def integers(blob: str) -> Array:
            return round_half_away((foretold[blob] * units[blob]).astype(np.float64)).clip(-127, 127)

        for bottom, top in steps:
            source = bottom.rsplit("_splitncnn_", 1)[0]
            fed = integers(source).astype(np.int8) if source in {t for _, t in steps} else foretold[source]
            theirs = net.run_from(bottom, fed, top).astype(np.float64)
            mine = integers(top)
            difference = np.abs(theirs.reshape(mine.shape) - mine)
            same, count = same + int(np.sum(difference == 0)), count + difference.size
            furthest = max(furthest, float(difference.max()))
    if count:
        check(f"{name}: {len(steps)} layers with int8 results, {100 * same / count:.3f} % of integers alike, furthest "
              f"{furthest:.0f}", same >= alike * count and furthest <= 1)


def check_float(check: Checks, name: str, ours: Ours, theirs: list[list[Array]]) -> None:
    worst = 0.0
    for mine, other in zip(ours.outputs, theirs):
        for a, b in zip(mine, other):
            worst = max(worst, float(np.abs(a - b.reshape(a.shape)).max() / max(np.ptp(a), 1e-30)))
    check(f"{name}: float outputs within {worst:.1e} of their range", worst <= FLOAT_TOLERANCE)


def run(net: NcnnModel, ours: Ours, samples: list[Array]) -> list[list[Array]]:
    return [net.run(sample, ours.names) for sample in samples]


def check_made(check: Checks, driver: str, work: Path) -> None:
    folder = work / "graphs"
    subprocess.run([driver, "graphs", folder], check=True)
    for name in (folder / "names.txt").read_text().split():
        model = folder / f"{name}.onnx"
        samples = [row[None] for row in np.load(folder / f"{name.removesuffix('_int8')}.npy")]
        ours = Ours(driver, model, samples, work / "made" / name)
        net = NcnnModel(ours.param)
        theirs = run(net, ours, samples)
        if not name.endswith("_int8"):
            check_float(check, name, ours, theirs)
            continue
        kinds = sorted(kind for kind, _ in integer_layers(ours.param).values())
        ratio = signal_to_noise(ours.outputs, theirs)
        check(f"{name}: {', '.join(kinds)} in int8, {ratio:.1f} dB to our own run", bool(kinds) and ratio >= 50)
        check_blobs(check, name, model, ours, net, samples)


def check_subject(check: Checks, octavo: str, driver: str, subject: Subject, work: Path) -> None:
    work.mkdir(parents=True, exist_ok=True)
    samples = subject.samples()
    few = samples[:BLOB_SAMPLES]
    floats = Ours(driver, subject.path, few, work / "float")
    check_float(check, subject.name, floats, run(NcnnModel(floats.param), floats, few))
    model = quantize(octavo, subject, work / "int8.onnx", "--backend", "ncnn")
    ours = Ours(driver, model, samples, work / "int8")
    net = NcnnModel(ours.param)
    kinds = [kind for kind, _ in integer_layers(ours.param).values()]
    counted = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))
    check(f"{subject.name}: {counted} in int8", bool(kinds))
    # One rounding that flips flips others on its way: behind depthwise layers, and sums of floats in another order.
    least = 20 if "ConvolutionDepthWise" in kinds else 30
    compare(check, "int8 in ncnn", subject, ours.outputs, run(net, ours, samples), least_db=least)
    check_blobs(check, subject.name, model, ours, net, samples)
    print(f"     {subject.name}: read back, outputs within {floats.read_back:.1e} (float), {ours.read_back:.1e} (int8); "
          f"{100 * net.size / subject.path.stat().st_size:.1f} % of the float model's size")


def check_deployment(check: Checks, octavo: str, work: Path) -> None:
    """mmdeploy's four files by one command, and the two of any other name."""
    subject = digits()
    subprocess.run([octavo, "quantize", subject.path, *subject.flags, "--to", "ncnn", "--no-verify", "--quiet", "-o",
                    work / "end2end_int8.param"], check=True)
    names = {file.name for file in work.glob("end2end*") if "recipe" not in file.name}
    check(f"one command writes {', '.join(sorted(names))}",
          names == {"end2end_quant.onnx", "end2end.table", "end2end_int8.param", "end2end_int8.bin"})
    onnx.checker.check_model(str(work / "end2end_quant.onnx"), full_check=True)
    layers = integer_layers(work / "end2end_int8.param")
    rows = [line.split() for line in (work / "end2end.table").read_text().splitlines()]
    check("the table has a row of weights and one of the input for each int8 layer",
          [row[0] for row in rows] == [f"{name}_param_0" for name in layers] + list(layers))
    check("operators of the float model are named as the table's rows",
          set(layers) <= {node.name or node.output[0] for node in onnx.load(work / "end2end_quant.onnx").graph.node})
    NcnnModel(work / "end2end_int8.param").run(subject.samples()[0])


def main() -> None:
    octavo, driver, work = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    work.mkdir(parents=True, exist_ok=True)
    check = Checks()
    check_made(check, driver, work)
    check_deployment(check, octavo, work)
    for subject in [digits(), *shared_models(int(os.environ.get("OCTAVO_PROOF_SAMPLES", "60")))]:
        check_subject(check, octavo, driver, subject, work / subject.name)
    check.finish()


main()
