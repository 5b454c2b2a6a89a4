"""The one way in which these scripts call the `octavo` command."""
from __future__ import annotations

import subprocess
from pathlib import Path

from zoo import Model


def run(octavo: Path, *arguments: object, threads: int) -> None:
    """Quietly; what the command says of a failure becomes the exception's text."""
    words = [*map(str, arguments), "--threads", str(threads), "--quiet"]
    done = subprocess.run([octavo, *words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"octavo {words[0]}: exit code {done.returncode}: {(done.stderr or done.stdout).strip()}")


def samples(model: Model, data: Path, scratch: Path) -> list[str]:
    """Flags that name the model's calibration samples and their preprocessing; tensors are written to `scratch`."""
    return ["--images", str(model.calibration_folder(data, scratch / "tensors")), *model.flags]


def quantize(octavo: Path, path: Path, output: Path, *flags: object, threads: int) -> None:
    """Without the comparison afterwards: these scripts measure by themselves."""
    run(octavo, "quantize", path, *flags, "-o", output, "--no-verify", threads=threads)
