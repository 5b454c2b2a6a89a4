"""Sizes of what Octavo writes for each runtime, in percent of the float ONNX file: a table of docs/runtimes.md.

Calibration has no part in the size, so that few samples do. Calibration caches and tables are left out: they stand beside
a float model.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import command
from compare import table
from zoo import DEFAULT_DATA, REPOSITORY, ZOO, Model

MODELS = ("squeezenet", "efficientnet_lite0", "cifar10_resnet20")
# What --to is called and further flags, and the endings of its files.
FORMS = {
    "onnx": (".onnx",),
    "onnx-qoperator": (".onnx",),
    "openvino": (".onnx",),
    "openvino-fakequantize": (".onnx",),
    "tensorrt": (".onnx",),
    "tensorrt --weight-storage floats": (".onnx",),
    "ncnn": (".param", ".bin"),
    "tnn": (".tnnproto", ".tnnmodel"),
}


def written(model: Model, form: str, args: argparse.Namespace) -> int:
    """Bytes of the files of this form."""
    scratch = args.work / "sizes" / model.name
    scratch.mkdir(parents=True, exist_ok=True)
    to, *more = form.split()
    files = [scratch / f"{form.replace(' ', '_')}{ending}" for ending in FORMS[form]]
    flags = command.samples(model, args.data, scratch)
    command.quantize(args.octavo, model.path(args.data), files[0], "--to", to, *more, "--calibrate-steps", "4",
                     *flags, threads=args.threads)
    return sum(file.stat().st_size for file in files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of INDEX.md (default %(default)s)")
    parser.add_argument("--models", default=",".join(MODELS), help=f"of {','.join(ZOO)}; default %(default)s")
    parser.add_argument("--octavo", type=Path, default=REPOSITORY / "build/release/octavo")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "build/bench/accuracy")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    rows = [["model", "--to", "bytes", "float file", "%"]]
    for model in (ZOO[name] for name in args.models.split(",")):
        whole = model.path(args.data).stat().st_size
        for form in FORMS:
            size = written(model, form, args)
            rows.append([model.name, form, f"{size:,}", f"{whole:,}", f"{100 * size / whole:.2f}"])
    print(table(rows))


if __name__ == "__main__":
    main()
