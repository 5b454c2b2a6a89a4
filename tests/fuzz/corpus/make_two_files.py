"""Joins the sample models of tests/formats/golden for the fuzzers: the text of the structure, a 0, the weights."""
from pathlib import Path

HERE = Path(__file__).parent
GOLDEN = HERE.parents[1] / "formats" / "golden"


def join(folder, structure, weights):
    (HERE / folder / structure.stem).write_bytes(structure.read_bytes() + b"\0" + weights.read_bytes())


join("ncnn", GOLDEN / "ncnn_tiny.param", GOLDEN / "ncnn_tiny.bin")
for name in ("float_v1", "int8_t0"):
    join("tnn", GOLDEN / "tnn" / f"{name}.tnnproto", GOLDEN / "tnn" / f"{name}.tnnmodel")
