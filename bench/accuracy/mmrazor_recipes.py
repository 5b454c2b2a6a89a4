"""MMRazor's example configurations, as YAML recipes, on EfficientNet-Lite0 and ResNet-20.

`recipes/mmrazor_*.yaml` hold its `global_qconfig` with every key as it is there. Writes a Markdown table.
"""
from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import command
from compare import Comparison
from methods import onnx_runner
from zoo import DEFAULT_DATA, REPOSITORY, ZOO

RECIPES = sorted((Path(__file__).parent / "recipes").glob("mmrazor_*.yaml"))
MODELS = ("efficientnet_lite0", "cifar10_resnet20")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--octavo", type=Path, default=REPOSITORY / "build/release/octavo")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    print("| recipe | model | top-1 float, quantized | agreement % | SQNR dB |\n| --- | --- | --- | --- | --- |")
    for recipe in RECIPES:
        for name in MODELS:
            model = ZOO[name]
            reference = onnx_runner(model.path(args.data), model.input, args.threads)
            truth, comparison = Comparison(model), Comparison(model)
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / "quantized.onnx"
                flags = command.samples(model, args.data, Path(folder))
                command.quantize(args.octavo, model.path(args.data), out, "--config", recipe, *flags,
                                 threads=args.threads)
                quantized = onnx_runner(out, model.input, args.threads)
                for x, label in model.evaluation(args.data):
                    f = reference(x)
                    truth.add(f, f, label)
                    comparison.add(f, quantized(x), label)
            score = comparison.score(0, 0.0)
            print(f"| {recipe.stem} | {name} | {truth.metric.result()['top1']:.2f}, {score.metric['top1']:.2f} | "
                  f"{score.agreement:.2f} | {score.sqnr:.2f} |", flush=True)


if __name__ == "__main__":
    main()
