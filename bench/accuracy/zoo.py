"""The models the bench measures: where each one's data lies, how it is prepared, what counts as right.

Preprocessing is written twice on purpose: here in NumPy and PIL (what the peers are fed) and as `flags`,
the words a user gives the `octavo` command. That both give the same tensors is part of what is measured.

`python zoo.py` runs the float models through ONNX Runtime and compares with the figures of the data's INDEX.md.
"""
from __future__ import annotations

import argparse
import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT_DATA = REPOSITORY.parent / "shared" / "data"

Array = np.ndarray
Sample = tuple[Array, object]


class TopK:
    """Share of samples whose label is first (and among the first five), in percent."""

    def __init__(self) -> None:
        self.first = self.five = self.count = 0

    def add(self, outputs: list[Array], label: object) -> None:
        order = np.argsort(-outputs[0].reshape(-1), kind="stable")[:5]
        self.first += int(order[0] == label)
        self.five += int(label in order)
        self.count += 1

    def result(self) -> dict[str, float]:
        return {"top1": 100 * self.first / self.count, "top5": 100 * self.five / self.count}


class MeanIoU:
    """Intersection over union from counts over all pictures; class 11 (void) is not counted."""

    CLASSES = 11

    def __init__(self) -> None:
        self.confusion = np.zeros((self.CLASSES, self.CLASSES), np.int64)

    def add(self, outputs: list[Array], mask: object) -> None:
        truth, said = np.asarray(mask), segments(outputs)
        known = truth < self.CLASSES
        pairs = truth[known].astype(np.int64) * self.CLASSES + said[known]
        self.confusion += np.bincount(pairs, minlength=self.CLASSES**2).reshape(self.confusion.shape)

    def result(self) -> dict[str, float]:
        hit = np.diag(self.confusion)
        union = self.confusion.sum(0) + self.confusion.sum(1) - hit
        return {"mIoU": 100 * float(np.mean(hit / union)), "pixels": 100 * float(hit.sum() / self.confusion.sum())}


class Psnr:
    """Mean over the pictures of each one's PSNR in dB, on the 0..1 scale."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def add(self, outputs: list[Array], target: object) -> None:
        error = np.mean((np.clip(outputs[0].reshape(np.shape(target)), 0, 1).astype(np.float64) - target) ** 2)
        self.values.append(-10 * math.log10(error))

    def result(self) -> dict[str, float]:
        return {"PSNR": float(np.mean(self.values))}


class Unlabelled:
    """No labels: only agreement with the float model and SQNR say anything."""

    def add(self, outputs: list[Array], target: object) -> None: ...

    def result(self) -> dict[str, float]:
        return {}


def classes(outputs: list[Array]) -> Array:
    """What a classifier decides: its first class."""
    return outputs[0].reshape(outputs[0].shape[0], -1).argmax(1)


def segments(outputs: list[Array]) -> Array:
    """What ESPNet decides for every pixel; its twelfth channel (void) is never chosen."""
    return outputs[0][:, : MeanIoU.CLASSES].argmax(1)


@dataclass(frozen=True)
class Model:
    """One model; the iterators yield batches of one, in the order of file names or rows."""

    name: str
    file: str
    input: str
    calibration: Callable[[Path], Iterator[Array]]
    evaluation: Callable[[Path], Iterator[Sample]]
    metric: Callable[[], TopK | MeanIoU | Psnr | Unlabelled]
    decide: Callable[[list[Array]], Array] | None
    images: str | None  # calibration folder the octavo command reads; None: it is given tensors instead
    flags: tuple[str, ...] = ()

    def path(self, data: Path) -> Path:
        return data / "models" / self.file

    def calibration_folder(self, data: Path, scratch: Path) -> Path:
        """A folder for `--images`: the pictures themselves, or one .npy tensor a sample written to scratch."""
        if self.images:
            return data / self.images
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        for index, tensor in enumerate(self.calibration(data)):
            np.save(scratch / f"{index:05}.npy", tensor)
        return scratch


def pictures(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in {".jpg", ".jpeg", ".png"})


def labelled(data: Path, listing: str) -> Iterator[tuple[Path, str]]:
    """Pairs of a list file `path label` (or `image mask`), in its order; paths are relative to it."""
    file = data / listing
    for line in file.read_text().splitlines():
        path, label = line.rsplit(maxsplit=1)
        yield file.parent / path, label


def planes(picture: Image.Image, mean: object = 0.0, std: object = 1.0, pixel: float = 1.0) -> Array:
    """(x·pixel − mean) / std as float32 1xCxHxW."""
    x = np.asarray(picture, np.float32)
    x = (x * np.float32(pixel) - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return np.ascontiguousarray(x.transpose(2, 0, 1)[None])


def rgb(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB")


def bgr(path: Path, size: tuple[int, int] | None = None) -> Image.Image:
    picture = rgb(path)
    if size:
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    return Image.merge("RGB", picture.split()[::-1])


def squeezenet(path: Path) -> Array:
    return planes(bgr(path, (227, 227)), mean=(104, 117, 123))


def efficientnet(path: Path) -> Array:
    picture = rgb(path)
    side = int(min(picture.size) * 224 / 256)
    # Odd margins round up, as in EfficientNet's own TensorFlow code; rounding down moves top-1 by a third of a point.
    left, top = (picture.width - side + 1) // 2, (picture.height - side + 1) // 2
    crop = picture.crop((left, top, left + side, top + side))
    return planes(crop.resize((224, 224), Image.Resampling.BICUBIC), mean=127, std=128)


def cifar(path: Path) -> Array:
    return planes(rgb(path), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), pixel=1 / 255)


CAMVID_MEAN = (110.331026, 108.408863, 105.033194)
CAMVID_STD_255 = (18392.05605, 18536.139975, 17825.60874)  # std · 255: ((x − mean) / std) / 255 in one division


def espnet(path: Path) -> Array:
    return planes(bgr(path), mean=CAMVID_MEAN, std=CAMVID_STD_255)


def ultraface(path: Path) -> Array:
    return planes(rgb(path).resize((320, 240), Image.Resampling.BILINEAR), mean=127, std=128)


def vww(path: Path) -> Array:
    return planes(rgb(path).resize((96, 96), Image.Resampling.BILINEAR), pixel=1 / 255)


def luma(path: Path) -> tuple[Array, Array]:
    """Super-resolution's input and target: the Y plane's centre 336 square, and its third by bicubic."""
    y = rgb(path).convert("YCbCr").getchannel(0)
    left, top = (y.width - 336) // 2, (y.height - 336) // 2
    crop = y.crop((left, top, left + 336, top + 336))
    low = crop.resize((112, 112), Image.Resampling.BICUBIC)
    unit = lambda plane: np.asarray(plane, np.float32)[None, None] / np.float32(255)  # noqa: E731
    return unit(low), unit(crop)


def classifier(name: str, file: str, input: str, prepare: Callable[[Path], Array], calib: str, listing: str,
               *flags: str) -> Model:
    """A classifier on picture files."""
    return Model(name, file, input,
                 lambda data: map(prepare, pictures(data / calib)),
                 lambda data: ((prepare(path), int(label)) for path, label in labelled(data, listing)),
                 TopK, classes, calib, flags)


def tensors(name: str, file: str, input: str, folder: str) -> Model:
    """A classifier whose samples are rows of `<folder>/*_x.npy`."""
    def rows(data: Path, part: str) -> Iterator[Array]:
        for row in np.load(data / folder / f"{part}_x.npy"):
            yield row[None].astype(np.float32)
    return Model(name, file, input,
                 lambda data: rows(data, "calib"),
                 lambda data: zip(rows(data, "test"), np.load(data / folder / "test_y.npy")),
                 TopK, classes, None)


def unlabelled(name: str, file: str, input: str, prepare: Callable[[Path], Array], folder: str,
               decide: Callable[[list[Array]], Array] | None, *flags: str) -> Model:
    return Model(name, file, input,
                 lambda data: map(prepare, pictures(data / "imagenet/calib")),
                 lambda data: ((prepare(path), None) for path in pictures(data / folder)),
                 Unlabelled, decide, "imagenet/calib", flags)


def words(values: tuple[float, ...]) -> str:
    return ",".join(map(str, values))


IMAGENET = ("imagenet/calib", "imagenet/eval_labels.txt")
CIFAR = ("cifar10/calib", "cifar10/test_labels.txt")
CIFAR_FLAGS = ("--pixel-range", "0,1", "--mean", ".485,.456,.406", "--std", ".229,.224,.225")

MEASURED = (
    classifier("squeezenet", "squeezenet_v1.1.onnx", "data", squeezenet, *IMAGENET,
               "--resize", "227x227", "--bgr", "--mean", "104,117,123"),
    classifier("efficientnet_lite0", "efficientnet_lite0.onnx", "input", efficientnet, *IMAGENET,
               "--crop-fraction", "0.875", "--resize", "224x224", "--interpolation", "bicubic",
               "--mean", "127", "--std", "128"),
    classifier("cifar10_resnet20", "cifar10_resnet20.onnx", "input", cifar, *CIFAR, *CIFAR_FLAGS),
    classifier("cifar10_resnet56", "cifar10_resnet56.onnx", "input", cifar, *CIFAR, *CIFAR_FLAGS),
    classifier("mlperftiny_ic_resnet8", "mlperftiny_ic_resnet8.onnx", "t0", lambda path: planes(rgb(path)), *CIFAR),
    Model("espnet_camvid", "espnet_camvid.onnx", "input",
          lambda data: map(espnet, pictures(data / "camvid/calib")),
          lambda data: ((espnet(path), np.asarray(Image.open(data / "camvid" / mask))[None])
                        for path, mask in labelled(data, "camvid/test_list.txt")),
          MeanIoU, segments, "camvid/calib",
          ("--bgr", "--mean", words(CAMVID_MEAN), "--std", words(CAMVID_STD_255))),
    tensors("kws_dscnn", "kws_dscnn.onnx", "input", "kws"),
    Model("superres_espcn_x3", "superres_espcn_x3.onnx", "y_low",
          lambda data: (luma(path)[0] for path in pictures(data / "camvid/train")),
          lambda data: map(luma, pictures(data / "camvid/test")),
          Psnr, None, None),
)

EXTRA = (
    tensors("mnist", "mnist_cntk_opset8.onnx", "Input3", "mnist"),
    unlabelled("ultraface", "ultraface_rfb320.onnx", "input", ultraface, "faces_unlabelled", None,
               "--resize", "320x240", "--mean", "127", "--std", "128"),
    unlabelled("vww", "mlperftiny_vww_mobilenetv1_025.onnx", "t0", vww, "imagenet/eval", classes,
               "--resize", "96x96", "--pixel-range", "0,1"),
)

ZOO = {model.name: model for model in MEASURED + EXTRA}

# The float figures INDEX.md gives.
INDEX = {
    "squeezenet": {"top1": 66.00, "top5": 86.33}, "efficientnet_lite0": {"top1": 88.33, "top5": 97.33},
    "cifar10_resnet20": {"top1": 81.35}, "cifar10_resnet56": {"top1": 83.15},
    "mlperftiny_ic_resnet8": {"top1": 76.40}, "espnet_camvid": {"mIoU": 57.33, "pixels": 88.19},
    "kws_dscnn": {"top1": 91.50}, "superres_espcn_x3": {"PSNR": 25.402}, "mnist": {"top1": 98.40},
}


def main() -> None:
    import onnxruntime as ort

    parser = argparse.ArgumentParser(description="Check the float figures of INDEX.md through ONNX Runtime.")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--models", default=",".join(ZOO))
    args = parser.parse_args()
    for model in (ZOO[name] for name in args.models.split(",")):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        session = ort.InferenceSession(model.path(args.data), options, providers=["CPUExecutionProvider"])
        metric = model.metric()
        for x, target in model.evaluation(args.data):
            metric.add(session.run(None, {model.input: x}), target)
        found, stated = metric.result(), INDEX.get(model.name, {})
        print(model.name,
              " ".join(f"{key} {value:.3f} (INDEX {stated.get(key, '-')})" for key, value in found.items()), flush=True)


if __name__ == "__main__":
    main()
