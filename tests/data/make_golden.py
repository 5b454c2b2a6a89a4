#!/usr/bin/env python3
"""Writes the fixtures under golden/: small pictures of every kind and what PIL, OpenCV and NumPy make of them.

Run with Pillow, NumPy and opencv-python-headless; versions.txt in golden/ names those used. The pictures come
from a formula and a fixed seed.
"""

import io
import pathlib
import struct
import zlib

import cv2
import numpy as np
import PIL
from PIL import Image

GOLDEN = pathlib.Path(__file__).parent / "golden"
W, H = 33, 25
RESIZES = [(16, 16), (33, 11), (13, 25), (66, 50), (9, 7), (5, 30), (30, 10)]
OPENCV = {"opencv-nearest": cv2.INTER_NEAREST, "opencv-bilinear": cv2.INTER_LINEAR,
          "opencv-bicubic": cv2.INTER_CUBIC, "opencv-area": cv2.INTER_AREA}
PILLOW = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}


def scene(width, height, seed=1):
    """Smooth colours, hard edges and noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([x * 255 // width, y * 255 // height, (x * y) % 256], -1).astype(np.int64)
    rgb[height // 3:height // 2, width // 4:width // 2] = (250, 10, 128)
    return np.clip(rgb + rng.integers(-20, 20, rgb.shape), 0, 255).astype(np.uint8)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def pack_rows(samples, bits):
    """Rows of samples (H, W, C) as PNG's bytes, each with filter 0."""
    out = b""
    for row in samples:
        flat = row.reshape(-1)
        if bits == 16:
            data = flat.astype(">u2").tobytes()
        else:
            digits = "".join(format(int(v), f"0{bits}b") for v in flat)
            digits += "0" * (-len(digits) % 8)
            data = bytes(int(digits[i:i + 8], 2) for i in range(0, len(digits), 8))
        out += b"\0" + data
    return out


def png(samples, bits, color, interlaced=False, extra=b""):
    """A PNG file of any kind: PIL and OpenCV write few of them."""
    height, width, _ = samples.shape
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    raw = b"".join(pack_rows(samples[y::dy, x::dx], bits) for y, x, dy, dx in passes if samples[y::dy, x::dx].size)
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(raw, 9)) +
            chunk(b"IEND", b""))


def bmp(rows, width, height, bits, palette=b"", compression=0, masks=b"", core=False, colors=0):
    """A BMP file; rows are its bytes as stored, height negative for top-down."""
    if core:
        header = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(rows), 2835, 2835, colors, 0)
    offset = 14 + len(header) + len(masks) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(rows), 0, 0, offset) + header + masks + palette + rows


def bmp_rows(rows):
    return b"".join(row + b"\0" * (-len(row) % 4) for row in rows)


def indexed_bmp(bits, top_down=False, core=False):
    rng = np.random.default_rng(bits)
    index = rng.integers(0, 1 << bits, (H, W))
    colors = rng.integers(0, 256, (1 << bits, 3))
    rows = bmp_rows([pack_rows(row.reshape(1, -1, 1), bits)[1:] for row in (index if top_down else index[::-1])])
    palette = b"".join(bytes(int(v) for v in c) + (b"" if core else b"\0") for c in colors)
    return bmp(rows, W, -H if top_down else H, bits, palette, core=core)


def save(name, data, expected=None):
    (GOLDEN / "decode" / name).write_bytes(data)
    if expected is None:
        image = Image.open(io.BytesIO(data))
        image.load()
        expected = np.asarray(image if image.mode == "L" else image.convert("RGB"))
    np.save(GOLDEN / "decode" / (name + ".npy"), expected)


def encoded(array, kind, mode=None, **options):
    out = io.BytesIO()
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(out, kind, **options)
    return out.getvalue()


def make_jpegs(rgb):
    for name, options in {"444": {"subsampling": 0}, "422": {"subsampling": 1}, "420": {"subsampling": 2},
                          "progressive": {"progressive": True}, "rgb": {"keep_rgb": True},
                          "restarts": {"restart_marker_blocks": 1}}.items():
        save(f"{name}.jpg", encoded(rgb, "JPEG", quality=80, **options))
    save("grey.jpg", encoded(rgb, "JPEG", "L", quality=80))
    save("grey_progressive.jpg", encoded(rgb, "JPEG", "L", progressive=True))
    cmyk = np.dstack([scene(W, H, 3), scene(W, H, 4)[:, :, :1]])
    out = io.BytesIO()
    Image.fromarray(cmyk, "CMYK").save(out, "JPEG", quality=90)
    data = bytearray(out.getvalue())
    save("cmyk.jpg", bytes(data))
    data[data.index(b"Adobe") + 11] = 2  # the same numbers read as YCCK
    save("ycck.jpg", bytes(data))


def make_pngs(rgb):
    grey = rgb[:, :, :1]
    alpha = scene(W, H, 5)[:, :, :1]
    for bits in (1, 2, 4, 8):
        top = grey >> (8 - bits)
        save(f"grey{bits}.png", png(top, bits, 0), np.asarray(Image.open(io.BytesIO(png(top, bits, 0))).convert("L")))
        colors = np.random.default_rng(bits).integers(0, 256, 3 << bits).astype(np.uint8).tobytes()
        extra = chunk(b"PLTE", colors) + chunk(b"tRNS", bytes(range(0, 1 << bits)))
        save(f"palette{bits}.png", png(top, bits, 3, extra=extra))
    save("rgb8.png", png(rgb, 8, 2))
    save("rgb8_transparent.png", png(rgb, 8, 2, extra=chunk(b"tRNS", struct.pack(">HHH", *map(int, rgb[0, 0])))))
    save("rgb8_interlaced.png", png(rgb, 8, 2, interlaced=True))
    save("grey4_interlaced.png", png(grey >> 4, 4, 0, interlaced=True))
    save("rgb8_filtered.png", encoded(rgb, "PNG"))
    save("grey_alpha8.png", png(np.dstack([grey, alpha]), 8, 4), grey[:, :, 0])
    save("rgba8.png", png(np.dstack([rgb, alpha]), 8, 6))
    wide = rgb.astype(np.uint16) * 256 + scene(W, H, 6)
    save("rgb16.png", png(wide, 16, 2))
    save("rgba16.png", png(np.dstack([wide, wide[:, :, :1]]), 16, 6))
    # PIL clips 16-bit grey to 255; the high byte is what was meant.
    save("grey16.png", png(wide[:, :, :1], 16, 0), (wide[:, :, 0] >> 8).astype(np.uint8))
    save("grey_alpha16.png", png(wide[:, :, :2], 16, 4), (wide[:, :, 0] >> 8).astype(np.uint8))
    save("one_pixel.png", png(rgb[:1, :1], 8, 2))
    save("gamma.png", png(rgb, 8, 2, extra=chunk(b"gAMA", struct.pack(">I", 100000))))


def make_bmps(rgb):
    for bits in (1, 4, 8):
        save(f"palette{bits}.bmp", indexed_bmp(bits))
    save("palette4_top_down.bmp", indexed_bmp(4, top_down=True))
    save("palette8_core.bmp", indexed_bmp(8, core=True))
    grey_palette = b"".join(bytes([i, i, i, 0]) for i in range(256))
    rows = bmp_rows([row.tobytes() for row in rgb[::-1, :, 0]])
    save("grey8.bmp", bmp(rows, W, H, 8, grey_palette), np.repeat(rgb[:, :, :1], 3, 2))
    bgr = rgb[:, :, ::-1]
    save("rgb24.bmp", encoded(rgb, "BMP"))
    save("rgb24_top_down.bmp", bmp(bmp_rows([row.tobytes() for row in bgr]), W, -H, 24))
    bgrx = np.dstack([bgr, np.full((H, W, 1), 77, np.uint8)])
    save("rgb32.bmp", bmp(bgrx[::-1].tobytes(), W, H, 32))
    masks = struct.pack("<III", 0xFF000000, 0xFF0000, 0xFF00)
    xbgr = np.dstack([np.full((H, W, 1), 77, np.uint8), bgr])
    save("rgb32_masks.bmp", bmp(xbgr[::-1].tobytes(), W, H, 32, compression=3, masks=masks))
    save("rgba32.bmp", encoded(np.dstack([rgb, rgb[:, :, :1]]), "BMP"))
    r, g, b = (rgb[::-1, :, c].astype(np.uint16) for c in range(3))
    pixels = (r >> 3 << 11) | (g >> 2 << 5) | (b >> 3)
    masks = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    save("rgb565.bmp", bmp(bmp_rows([row.tobytes() for row in pixels]), W, H, 16, compression=3, masks=masks))
    pixels = (r >> 3 << 10) | (g >> 3 << 5) | (b >> 3)
    save("rgb555.bmp", bmp(bmp_rows([row.tobytes() for row in pixels]), W, H, 16))


def make_resizes(rgb):
    image = Image.fromarray(rgb)
    for width, height in RESIZES:
        for name, method in PILLOW.items():
            np.save(GOLDEN / "resize" / f"{name}_{width}x{height}.npy", np.asarray(image.resize((width, height), method)))
        for name, method in OPENCV.items():
            resized = cv2.resize(rgb, (width, height), interpolation=method)
            np.save(GOLDEN / "resize" / f"{name}_{width}x{height}.npy", resized)
    # Whole blocks, and the special cases of exactly one half.
    even = np.ascontiguousarray(rgb[:24, :32])
    Image.fromarray(even).save(GOLDEN / "resize" / "even.png")
    for width, height in ((16, 12), (8, 6)):
        for name, method in OPENCV.items():
            resized = cv2.resize(even, (width, height), interpolation=method)
            np.save(GOLDEN / "resize" / f"even_{name}_{width}x{height}.npy", resized)
    tall = scene(2, 230, 8)
    Image.fromarray(tall).save(GOLDEN / "resize" / "tall.png")
    np.save(GOLDEN / "resize" / "tall_bicubic_5x20.npy", np.asarray(Image.fromarray(tall).resize((5, 20), Image.BICUBIC)))


def make_preprocessed(rgb):
    image = Image.fromarray(rgb)
    f32 = np.float32

    def write(name, array):
        np.save(GOLDEN / "preprocess" / f"{name}.npy", np.ascontiguousarray(array[None]))

    x = np.asarray(image.resize((20, 18), Image.BILINEAR)).astype(f32)[:, :, ::-1] - f32([104, 117, 123])
    write("squeezenet", x.transpose(2, 0, 1))
    side = int(min(image.size) * 0.875)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    crop = image.crop((left, top, left + side, top + side)).resize((16, 16), Image.BICUBIC)
    write("efficientnet", ((np.asarray(crop).astype(f32) - f32(127)) / f32(128)).transpose(2, 0, 1))
    mean, std = f32([.485, .456, .406]), f32([.229, .224, .225])
    x = np.asarray(image.resize((8, 8), Image.BILINEAR)).astype(f32)
    write("imagenet_nhwc", (x / f32(255) - mean) / std)
    x = np.asarray(image.resize((int(16 * W / H), 16), Image.BILINEAR))
    top, left = round((16 - 15) / 2.0), round((x.shape[1] - 13) / 2.0)
    write("short_crop", x[top:top + 15, left:left + 13].astype(f32).transpose(2, 0, 1))
    write("grey", np.asarray(image.convert("L").resize((12, 10), Image.BILINEAR)).astype(f32)[None])


def main():
    for folder in ("decode", "resize", "preprocess"):
        (GOLDEN / folder).mkdir(parents=True, exist_ok=True)
    rgb = scene(W, H)
    make_jpegs(rgb)
    make_pngs(rgb)
    make_bmps(rgb)
    make_resizes(rgb)
    make_preprocessed(rgb)
    versions = f"Pillow {PIL.__version__}\nNumPy {np.__version__}\nOpenCV {cv2.__version__}\n"
    (GOLDEN / "versions.txt").write_text(versions)


if __name__ == "__main__":
    main()
