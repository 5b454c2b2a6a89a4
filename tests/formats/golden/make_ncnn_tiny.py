"""make_ncnn_tiny.py FOLDER: writes ncnn_tiny.param and ncnn_tiny.bin by hand, from the format's description alone.

A convolution whose output is int8, a depthwise one that reads it and ends in float, a pooled linear layer: all kinds
of int8 layers. Made with Python 3.11; PyPI's ncnn 1.0.20261020 loads and runs it.
"""
import struct
import sys
from pathlib import Path

INT8 = 0x000D4B38

PARAM = """7767517
7 7
Input                    x                        0 1 x 0=4 1=4 2=2 -23330=4,3,4,4,2
Convolution              first                    1 1 x r 0=3 1=3 4=1 5=1 6=54 8=102 9=1 -23330=4,3,4,4,3
ConvolutionDepthWise     second                   1 1 r d 0=3 1=3 6=27 7=3 8=1 -23330=4,3,2,2,3
Pooling                  g_Pooling                1 1 d g_Pooling 0=1 4=1
Reshape                  pool                     1 1 g_Pooling g 0=1 1=1 2=-1 -23330=4,3,1,1,3
Flatten                  flat                     1 1 g f -23330=4,1,3,1,1
InnerProduct             third                    1 1 f y 0=2 1=1 2=6 8=2 -23330=4,1,2,1,1
"""


def integers(count: int, most: int) -> list[int]:
    return [i * 7 % (2 * most + 1) - most for i in range(count)]


def tagged(values: list[int]) -> bytes:
    data = struct.pack(f"<I{len(values)}b", INT8, *values)
    return data + bytes(-len(data) % 4)


def plain(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


folder = Path(sys.argv[1])
(folder / "ncnn_tiny.param").write_text(PARAM)
(folder / "ncnn_tiny.bin").write_bytes(b"".join([
    tagged(integers(54, 31)),  # first: weights, bias, scales of weights, of the input, of the output
    plain(1, -2, 0.5), plain(4, 8, 16), plain(2), plain(0.5),
    tagged(integers(27, 127)),  # second: no bias, a scale a group
    plain(2, 4, 1), plain(0.5),
    tagged(integers(6, 127)),  # third: one scale for all outputs, written for each
    plain(0.25, -0.25), plain(2, 2), plain(8),
]))
