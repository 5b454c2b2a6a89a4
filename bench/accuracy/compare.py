"""Accuracy of Octavo beside its peers: one run, the same pictures, float against every method.

Results of peers are cached under --work (they change only with the model, the calibration samples or the tool), so
that a rerun after a change to Octavo is quick; Octavo itself is always run anew. See README.md.
"""
from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from zoo import DEFAULT_DATA, MEASURED, REPOSITORY, ZOO, Array, Model

PEERS = ("ort-minmax", "ort-percentile", "nncf")
TOOL = {"ort-minmax": "onnxruntime", "ort-percentile": "onnxruntime", "nncf": "nncf"}


@dataclass
class Score:
    """One method on one model. Percent, dB, bytes, seconds; None where the model has no such figure."""

    metric: dict[str, float]
    agreement: float | None
    gained: int | None  # samples float had wrong and this has right
    lost: int | None
    sqnr: float | None
    size: int
    seconds: float


class Comparison:
    """Accumulates, sample by sample, one method's outputs against the float model's."""

    def __init__(self, model: Model) -> None:
        self.model, self.metric = model, model.metric()
        self.signal = self.noise = 0.0
        self.same = self.decisions = self.gained = self.lost = 0

    def add(self, reference: list[Array], outputs: list[Array], target: object) -> None:
        self.metric.add(outputs, target)
        for f, q in zip(reference, outputs, strict=True):
            f = f.astype(np.float64)
            self.signal += float(np.sum(f * f))
            self.noise += float(np.sum((f - q) ** 2))
        if self.model.decide:
            before, after = self.model.decide(reference), self.model.decide(outputs)
            self.same += int(np.sum(before == after))
            self.decisions += before.size
            if target is not None:
                self.gained += int(np.sum((before != target) & (after == target)))
                self.lost += int(np.sum((before == target) & (after != target)))

    def score(self, size: int, seconds: float) -> Score:
        decides = self.decisions > 0
        return Score(self.metric.result(), 100 * self.same / self.decisions if decides else None,
                     self.gained if decides else None, self.lost if decides else None,
                     10 * math.log10(self.signal / self.noise) if self.noise else None, size, seconds)


def samples_key(model: Model, data: Path) -> str:
    """Changes with the model's bytes, the prepared calibration samples, and the first test sample."""
    digest = hashlib.sha256(model.path(data).read_bytes())
    for sample in model.calibration(data):
        digest.update(sample.tobytes())
    digest.update(next(iter(model.evaluation(data)))[0].tobytes())
    return digest.hexdigest()[:16]


def measure(model: Model, methods: list[str], args: argparse.Namespace, cache: dict[str, dict]) -> dict[str, Score]:
    from methods import METHODS, Job, float_model  # after main() has chosen the cores: the runtimes look at them

    key = samples_key(model, args.data)
    keys = {m: f"{model.name} {m} {version(TOOL[m])} {key}" for m in methods if m in PEERS}
    scores = {m: Score(**cache[k]) for m, k in keys.items() if k in cache and not args.refresh}
    running = {}
    for method in methods:
        if method in scores:
            continue
        job = Job(model, args.data, args.work / model.name / method, args.threads, args.octavo)
        job.scratch.mkdir(parents=True, exist_ok=True)
        try:
            running[method] = METHODS[method](job), Comparison(model)
        except Exception as error:  # one method's failure must not cost the others' figures
            print(f"{model.name}: {method} failed: {error}", flush=True)
    reference = float_model(Job(model, args.data, args.work, args.threads, args.octavo))
    truth = Comparison(model)
    for x, target in model.evaluation(args.data):
        f = reference.run(x)
        truth.add(f, f, target)
        for quantized, comparison in running.values():
            comparison.add(f, quantized.run(x), target)
    for method, (quantized, comparison) in running.items():
        scores[method] = comparison.score(quantized.size, quantized.seconds)
        if method in keys:
            cache[keys[method]] = asdict(scores[method])
    return {"float": truth.score(reference.size, 0.0), **{m: scores[m] for m in methods if m in scores}}


def mean(values: list[float | None]) -> float | None:
    """None unless every model has the figure: a mean over fewer models could not be compared."""
    return None if not values or None in values else sum(values) / len(values)  # type: ignore[arg-type]


def table(rows: list[list[str]]) -> str:
    head, *body = rows
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *body])


def show(value: float | None, form: str = ".2f") -> str:
    return "–" if value is None else format(value, form)


def report(results: dict[str, dict[str, Score]], methods: list[str]) -> str:
    """Three tables: every figure, the means over the models, and Octavo less the best peer on each model."""
    rows = [["model", "method", "metric", "agreement %", "gained/lost", "SQNR dB", "kB", "s"]]
    for name, scores in results.items():
        for method, s in scores.items():
            metric = ", ".join(f"{key} {value:.3f}" if key == "PSNR" else f"{key} {value:.2f}"
                               for key, value in s.metric.items())
            counted = s.agreement is not None and "top1" in s.metric and method != "float"
            rows.append([name, method, metric, "–" if method == "float" else show(s.agreement),
                         f"+{s.gained} −{s.lost}" if counted else "–", show(s.sqnr),
                         f"{s.size / 1000:.0f}", "–" if method == "float" else f"{s.seconds:.1f}"])
    parts = [table(rows)]

    classifiers = [name for name, scores in results.items() if "top1" in scores["float"].metric]
    rows = [["mean over models", f"agreement % ({len(classifiers)} classifiers)", f"SQNR dB ({len(results)} models)"]]
    for method in methods:
        of = lambda names, figure: mean([getattr(results[n].get(method), figure, None) for n in names])  # noqa: E731
        rows.append([method, show(of(classifiers, "agreement")), show(of(list(results), "sqnr"))])
    parts.append(table(rows))

    rows = [["octavo less the best peer", "metric", "agreement", "SQNR dB"]]
    for name, scores in results.items():
        peers = [scores[m] for m in PEERS if m in scores]
        if "octavo" in scores and peers:
            first = next(iter(scores["float"].metric), None)
            best = lambda figure: max(map(figure, peers))  # noqa: E731
            has = lambda figure: figure(peers[0]) is not None  # noqa: E731
            gain = lambda figure: figure(scores["octavo"]) - best(figure) if has(figure) else None  # noqa: E731
            rows.append([name, show(gain(lambda s: s.metric.get(first)), "+.3f"),
                         show(gain(lambda s: s.agreement), "+.2f"), show(gain(lambda s: s.sqnr), "+.2f")])
    return "\n\n".join(parts + ([table(rows)] if len(rows) > 1 else []))


def main() -> None:
    everything = (*PEERS, "octavo")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of INDEX.md (default %(default)s)")
    parser.add_argument("--models", default=",".join(m.name for m in MEASURED), help=f"of {','.join(ZOO)}")
    parser.add_argument("--methods", default=",".join(everything), help="default: %(default)s")
    parser.add_argument("--octavo", type=Path, default=REPOSITORY / "build/release/octavo")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "build/bench/accuracy", help="models, cache, results")
    parser.add_argument("--refresh", action="store_true", help="run the peers again even where cached")
    parser.add_argument("--threads", type=int, default=1, help="cores for everything (default 1)")
    args = parser.parse_args()
    models, methods = args.models.split(","), args.methods.split(",")
    if unknown := [m for m in models if m not in ZOO] + [m for m in methods if m not in everything]:
        parser.error(f"unknown: {', '.join(unknown)}")
    # Not every tool takes a number of threads (ONNX Runtime's calibrator does not); all keep to their cores.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-args.threads:])

    args.work.mkdir(parents=True, exist_ok=True)
    cache_file = args.work / "peers.json"
    cache = json.loads(cache_file.read_text()) if cache_file.exists() else {}
    results: dict[str, dict[str, Score]] = {}
    for name in models:
        results[name] = measure(ZOO[name], methods, args, cache)
        cache_file.write_text(json.dumps(cache, indent=1))
        print(report({name: results[name]}, methods).split("\n\n")[0], flush=True)
    text = report(results, methods)
    (args.work / "results.md").write_text(text + "\n")
    (args.work / "results.json").write_text(json.dumps(
        {name: {m: asdict(s) for m, s in scores.items()} for name, scores in results.items()}, indent=1) + "\n")
    print("\n" + text)
    if any(method not in scores for scores in results.values() for method in methods):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
