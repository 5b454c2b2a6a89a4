"""Accuracy of what Octavo writes in the runtimes that it is written for: the table of docs/runtimes.md.

Each model is quantized by the command with its defaults for the runtime, and the files that it wrote are run there, on
all evaluation data. The float model runs in ONNX Runtime. ncnn joins where its package is installed.
"""
from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

import command
from compare import Comparison, show, table
from methods import Run, onnx_runner
from zoo import DEFAULT_DATA, REPOSITORY, ZOO, Array, Model

MODELS = ("squeezenet", "efficientnet_lite0", "cifar10_resnet20", "cifar10_resnet56", "mlperftiny_ic_resnet8",
          "espnet_camvid", "kws_dscnn", "vww", "mnist", "superres_espcn_x3", "ultraface")
Args = argparse.Namespace
Samples = Iterable[Array]
# 8-bit kernels saturate on CPUs without VNNI, which says nothing about the model.
EXACT = "vnni" in Path("/proc/cpuinfo").read_text()


def openvino_runner(path: Path, threads: int) -> Run:
    import openvino as ov

    core = ov.Core()
    mode = {} if EXACT else {"LP_TRANSFORMS_MODE": "NO"}
    compiled = core.compile_model(core.read_model(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32",
                                                                 "INFERENCE_NUM_THREADS": threads, **mode})
    return lambda x: [np.array(value) for value in compiled([x]).values()]


def each(run: Run, samples: Samples) -> Iterator[list[Array]]:
    return map(run, samples)


def in_onnxruntime(model: Model, files: list[Path], samples: Samples, args: Args) -> Iterator[list[Array]]:
    return each(onnx_runner(files[0], model.input, args.threads), samples)


def in_openvino(model: Model, files: list[Path], samples: Samples, args: Args) -> Iterator[list[Array]]:
    return each(openvino_runner(files[0], args.threads), samples)


def in_ncnn(model: Model, files: list[Path], samples: Samples, args: Args) -> Iterable[list[Array]]:
    import onnx
    from ncnn_runtime import run_ncnn

    outputs = [output.name for output in onnx.load(model.path(args.data)).graph.output]
    return run_ncnn(files[0], files[1], samples, outputs)


# What --to is called, the endings of its files, and how they are run.
RUNTIMES: dict[str, tuple[str, tuple[str, ...], Callable[..., Iterable[list[Array]]]]] = {
    "onnxruntime": ("onnx", (".onnx",), in_onnxruntime),
    "openvino": ("openvino", (".onnx",), in_openvino),
    "ncnn": ("ncnn", (".param", ".bin"), in_ncnn),
}


def measure(model: Model, name: str, args: argparse.Namespace, reference: list[list[Array]]) -> list[str]:
    """One row: the metric after quantization, agreement with float, SQNR, size."""
    to, endings, run = RUNTIMES[name]
    scratch = args.work / "runtimes" / model.name
    scratch.mkdir(parents=True, exist_ok=True)
    files = [scratch / f"{name}{ending}" for ending in endings]
    flags = command.samples(model, args.data, scratch)
    command.quantize(args.octavo, model.path(args.data), files[0], "--to", to, *flags, threads=args.threads)
    truth, comparison = Comparison(model), Comparison(model)
    samples = (x for x, _ in model.evaluation(args.data))
    outputs = run(model, files, samples, args)
    for (_, target), expected, found in zip(model.evaluation(args.data), reference, outputs):
        truth.add(expected, expected, target)
        comparison.add(expected, [y.reshape(f.shape) for y, f in zip(found, expected)], target)
    before, after = truth.metric.result(), comparison.score(0, 0.0)
    key = next(iter(before), None)
    metric = "–" if key is None else f"{key} {before[key]:.2f} to {after.metric[key]:.2f}"
    size = 100 * sum(file.stat().st_size for file in files) / model.path(args.data).stat().st_size
    return [model.name, name, metric, show(after.agreement), show(after.sqnr, ".1f"), f"{size:.1f}"]


def available(name: str) -> bool:
    try:
        __import__(name)
    except ImportError as error:
        print(f"skip {name}: {error}")
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of INDEX.md (default %(default)s)")
    parser.add_argument("--models", default=",".join(MODELS), help=f"of {','.join(ZOO)}")
    parser.add_argument("--runtimes", default=",".join(RUNTIMES), help="default: %(default)s")
    parser.add_argument("--octavo", type=Path, default=REPOSITORY / "build/release/octavo")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "build/bench/accuracy")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    runtimes = [name for name in args.runtimes.split(",") if available(name)]
    print(f"OpenVINO runs {'its 8-bit kernels' if EXACT else 'the same graph in float: this CPU has no VNNI'}")
    rows = [["model", "runtime", "metric, float to integer", "agreement %", "SQNR dB", "size %"]]
    for model in (ZOO[name] for name in args.models.split(",")):
        floats = onnx_runner(model.path(args.data), model.input, args.threads)
        reference = [floats(x) for x, _ in model.evaluation(args.data)]
        for name in runtimes:
            try:
                rows.append(measure(model, name, args, reference))
            except Exception as error:  # one runtime's failure must not cost the others' figures
                rows.append([model.name, name, f"failed: {str(error).splitlines()[0]}", "–", "–", "–"])
            print(table([rows[0], rows[-1]]).splitlines()[-1], flush=True)
    print("\n" + table(rows))


if __name__ == "__main__":
    main()
