"""Our executor beside ONNX Runtime on the same tensors: the exported int8 models, or with --float the float ones.

int8: share of samples (ESPNet: of pixels) both decide alike, the metric of each, SQNR of our outputs against ONNX
Runtime's. They are the models compare.py has left under --work. float: the largest difference over the output's range.
"""
from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from compare import Comparison, show, table
from methods import onnx_runner
from zoo import DEFAULT_DATA, MEASURED, REPOSITORY, ZOO, Array, Model


def our_outputs(tool: Path, path: Path, samples: list[Array], scratch: Path) -> list[list[Array]]:
    """Outputs of each sample, as ONNX Runtime would return them."""
    np.save(scratch / "inputs.npy", np.concatenate(samples))
    subprocess.run([tool, path, scratch / "inputs.npy", scratch / "output"], check=True)
    files = sorted(scratch.glob("output*.npy"))
    return [list(outputs) for outputs in zip(*(np.load(file, mmap_mode="r") for file in files))]


def words(metric: dict[str, float]) -> str:
    return ", ".join(f"{key} {value:.3f}" for key, value in metric.items()) or "–"


def compare(model: Model, path: Path, args: argparse.Namespace) -> list[str]:
    theirs = onnx_runner(path, model.input, args.threads)
    samples, targets = zip(*model.evaluation(args.data))
    with tempfile.TemporaryDirectory(dir=args.work) as scratch:
        ours = our_outputs(args.tool, path, list(samples), Path(scratch))
        both, reference, worst = Comparison(model), model.metric(), [0.0] * len(ours[0])
        low, high = [np.inf] * len(worst), [-np.inf] * len(worst)
        for x, target, mine in zip(samples, targets, ours, strict=True):
            expected = theirs(x)
            both.add(expected, mine, target)
            reference.add(expected, target)
            for i, (a, b) in enumerate(zip(mine, expected, strict=True)):
                worst[i] = max(worst[i], float(np.abs(a - b).max()))
                low[i], high[i] = min(low[i], float(b.min())), max(high[i], float(b.max()))
    score = both.score(0, 0.0)
    relative = max(w / (h - l) for w, l, h in zip(worst, low, high))
    return [model.name, str(len(samples)), show(score.agreement, ".3f"), words(score.metric),
            words(reference.result()), show(score.sqnr, ".1f"), f"{relative:.1e}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of INDEX.md (default %(default)s)")
    parser.add_argument("--float", action="store_true", help="compare the float models")
    parser.add_argument("--models", help=f"of {','.join(ZOO)} (default: those measured; all with --float)")
    parser.add_argument("--tool", type=Path, default=REPOSITORY / "build/bench/octavo_run_model")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "build/bench/accuracy", help="where compare.py wrote")
    parser.add_argument("--threads", type=int, default=1, help="of ONNX Runtime (default 1)")
    args = parser.parse_args()
    names = args.models.split(",") if args.models else list(ZOO) if args.float else [m.name for m in MEASURED]
    if unknown := [name for name in names if name not in ZOO]:
        parser.error(f"unknown: {', '.join(unknown)}")
    args.work.mkdir(parents=True, exist_ok=True)
    rows = [["model", "samples", "agreement %", "ours", "ONNX Runtime", "SQNR dB", "max difference / range"]]
    for name in names:
        model = ZOO[name]
        rows.append(compare(model, model.path(args.data) if args.float else args.work / name / "octavo/quantized.onnx",
                            args))
        print(table([rows[0], rows[-1]]).splitlines()[-1], flush=True)
    print("\n" + table(rows))


if __name__ == "__main__":
    main()
