"""agree.py OCTAVO DIGITS WORK: ONNX Runtime runs what the command wrote, and finds what the command foretold."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from PIL import Image

octavo, digits, work = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
work.mkdir(parents=True, exist_ok=True)
float_model, int8_model, report = digits / "digits.onnx", work / "digits.int8.onnx", work / "digits.json"


def run_command(*arguments):
    subprocess.run([octavo, *map(str, arguments), "--pixel-range", "0,1", "--quiet"], check=True)


run_command("quantize", float_model, "--images", digits / "calib", "--no-verify", "-o", int8_model)
run_command("verify", float_model, int8_model, "--images", digits / "test", "--labels", digits / "test_labels.txt",
            "--json", report)
foretold = json.loads(report.read_text())
onnx.checker.check_model(str(int8_model), full_check=True)

samples = [line.rsplit(" ", 1) for line in (digits / "test_labels.txt").read_text().splitlines()]
labels = np.array([int(label) for _, label in samples])
pictures = [np.asarray(Image.open(digits / path), np.float32)[None, None] / np.float32(255) for path, _ in samples]


def logits(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # Exact 8-bit products on CPUs without VNNI, where they otherwise saturate.
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: picture})[0] for picture in pictures])


def near(what, found, expected, tolerance):
    print(f"{what}: ONNX Runtime {found:.4f}, octavo {expected:.4f}")
    assert abs(found - expected) <= tolerance, f"{what}: more than {tolerance} apart"


reference, quantized = logits(float_model), logits(int8_model)
one_picture = 1.001 / len(samples)
near("top-1 float", np.mean(reference.argmax(1) == labels), foretold["float_accuracy"]["top1"], 1e-9)
near("top-1 int8", np.mean(quantized.argmax(1) == labels), foretold["quantized_accuracy"]["top1"], one_picture)
noise = np.sum((reference.astype(float) - quantized) ** 2)
near("SQNR in dB", 10 * np.log10(np.sum(reference.astype(float) ** 2) / noise), foretold["outputs"][0]["sqnr_db"], 0.5)
