"""TNN's published table on SqueezeNet 1.1: activations {min-max, KL} x weights {min-max, ADMM} x merge types {0, 1, 2}.

The first 63 pictures by name calibrate, as in TNN's document; all 300 evaluate. Each row is one recipe for the backend
`tnn`, with TNN's own searches: once as TNN does it, without Octavo's corrections, once with them, and for KL once as
TNN does it but for the class scores, which get min-max. Both models are run by Octavo. Writes a Markdown table to standard output.
"""
from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import command
from zoo import DEFAULT_DATA, REPOSITORY, ZOO

PICTURES = 63
CLASS_SCORES = "conv10"
MERGE_TYPES = {0: "0 per channel", 1: "1 mix", 2: "2 per tensor"}
BLOB_METHODS = {"min-max": "TNNMinMaxObserver", "KL": "TNNKLObserver"}
WEIGHT_METHODS = {"min-max": "minmax", "ADMM": "tnn_admm"}
CORRECTIONS = ("equalize_channels", "compensate_rounding", "correct_biases")
# quantization_cmd's own results on 300 such pictures, top-1; float 66.0. Only KL/ADMM and min-max/min-max are known.
TNN = {("KL", "ADMM"): {0: 45.3, 1: 52.3, 2: 54.0}, ("min-max", "min-max"): {0: 66.0, 1: 64.0, 2: 64.7}}


@dataclass(frozen=True)
class Row:
    blob: str
    weight: str
    merge: int
    corrected: bool = False
    whole_scores: bool = False

    def recipe(self) -> str:
        scores = f"overrides:\n  - {{node: {CLASS_SCORES}, a_observer: {{type: {BLOB_METHODS['min-max']}}}}}\n"
        corrections = "".join(f"{key}: {str(self.corrected).lower()}\n" for key in CORRECTIONS)
        return (f"backend: tnn\nmerge_type: {self.merge}\ncalibrate_steps: {PICTURES}\nbatch_size: 1\n"
                f"weight_method: {WEIGHT_METHODS[self.weight]}\n{corrections}"
                f"global_qconfig:\n  a_observer: {{type: {BLOB_METHODS[self.blob]}}}\n"
                f"{scores if self.whole_scores else ''}")


def measure(row: Row, args: argparse.Namespace, scratch: Path) -> str:
    """Top-1, agreement and SQNR."""
    model = ZOO["squeezenet"]
    recipe, out, report = scratch / "recipe.yaml", scratch / "quantized.onnx", scratch / "report.json"
    recipe.write_text(row.recipe())
    flags = command.samples(model, args.data, scratch)
    command.quantize(args.octavo, model.path(args.data), out, "--config", recipe, *flags, threads=args.threads)
    command.run(args.octavo, "verify", model.path(args.data), out, "--images", args.data / "imagenet/eval", "--labels",
                args.data / "imagenet/eval_labels.txt", *model.flags, "--json", report, threads=args.threads)
    found = json.loads(report.read_text())
    output = found["outputs"][0]
    top1, agreement = 100 * found["quantized_accuracy"]["top1"], 100 * output["top1_agreement"]
    return f"{top1:.2f} %, {agreement:.2f} %, {output['sqnr_db']:.1f} dB"


def cells(blob: str, weight: str, merge: int, args: argparse.Namespace, scratch: Path) -> list[str]:
    theirs = TNN.get((blob, weight), {}).get(merge)
    rows = [Row(blob, weight, merge), Row(blob, weight, merge, corrected=True)]
    spared = measure(Row(blob, weight, merge, whole_scores=True), args, scratch) if blob == "KL" else "–"
    return ["–" if theirs is None else str(theirs), *(measure(row, args, scratch) for row in rows), spared]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--octavo", type=Path, default=REPOSITORY / "build/release/octavo")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    print("| activations | weights | merge type | TNN | as TNN does it: top-1, agreement, SQNR | with corrections | "
          "class scores by min-max |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for blob in BLOB_METHODS:
            for weight in WEIGHT_METHODS:
                for merge, name in MERGE_TYPES.items():
                    found = cells(blob, weight, merge, args, Path(folder))
                    print(f"| {blob} | {weight} | {name} | {' | '.join(found)} |", flush=True)


if __name__ == "__main__":
    main()
