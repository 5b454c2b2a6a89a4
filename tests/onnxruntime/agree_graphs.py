"""agree_graphs.py OCTAVO_RUNTIME_MODELS WORK: ONNX Runtime makes of the graphs that passes write what our executor does."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

tool, work = sys.argv[1], Path(sys.argv[2])
work.mkdir(parents=True, exist_ok=True)
shutil.rmtree(work / "models", ignore_errors=True)


def encoder(path, layers=2, tokens=12, width=48, heads=4):
    """A transformer's encoder as exporters write it: MatMul and Add, attention, LayerNormalization, Gelu by Erf."""
    random = np.random.default_rng(1)
    nodes, constants = [], []

    def constant(name, array):
        constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(op_type, inputs, output, **attributes):
        nodes.append(helper.make_node(op_type, inputs, [output], name=output + "_node", **attributes))
        return output

    def linear(x, name, rows, columns):
        weight = random.normal(0, rows**-0.5, (rows, columns)).astype(np.float32)
        product = node("MatMul", [x, constant(name + "_w", weight)], name + "_product")
        return node("Add", [product, constant(name + "_b", random.normal(0, 0.1, columns).astype(np.float32))], name)

    def norm(x, name):
        scale = constant(name + "_scale", random.uniform(0.5, 1.5, width).astype(np.float32))
        return node("LayerNormalization", [x, scale, constant(name + "_bias", np.zeros(width, np.float32))], name)

    split = constant("split_shape", np.array([1, tokens, heads, width // heads]))
    joined = constant("joined_shape", np.array([1, tokens, width]))
    x = "x"
    for i in range(layers):
        parts = {}
        for part in "qkv":
            shaped = node("Reshape", [linear(x, f"{part}{i}", width, width), split], f"{part}{i}_heads")
            order = [0, 2, 3, 1] if part == "k" else [0, 2, 1, 3]
            parts[part] = node("Transpose", [shaped], f"{part}{i}_turned", perm=order)
        scores = node("MatMul", [parts["q"], parts["k"]], f"scores{i}")
        root = constant(f"root{i}", np.float32((width // heads) ** -0.5))
        weights = node("Softmax", [node("Mul", [scores, root], f"scaled{i}")], f"attention{i}", axis=-1)
        mixed = node("Transpose", [node("MatMul", [weights, parts["v"]], f"mixed{i}")], f"back{i}", perm=[0, 2, 1, 3])
        attended = linear(node("Reshape", [mixed, joined], f"flat{i}"), f"o{i}", width, width)
        x = norm(node("Add", [x, attended], f"first_sum{i}"), f"first_norm{i}")
        wide = linear(x, f"up{i}", width, 4 * width)
        erf = node("Erf", [node("Mul", [wide, constant(f"half_root{i}", np.float32(0.5**0.5))], f"inner{i}")], f"erf{i}")
        one = node("Add", [erf, constant(f"one{i}", np.float32(1))], f"one_more{i}")
        gelu = node("Mul", [node("Mul", [wide, one], f"product{i}"), constant(f"half{i}", np.float32(0.5))], f"gelu{i}")
        x = norm(node("Add", [x, linear(gelu, f"down{i}", 4 * width, width)], f"second_sum{i}"), f"second_norm{i}")
    nodes[-1].output[0] = "y"
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, tokens, width]) for n in ("x", "y")]
    graph = helper.make_graph(nodes, "encoder", values[:1], values[1:], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def run(name, inputs_of, optimized=True):
    model = onnx.load(work / f"{name}.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # Exact 8-bit products on CPUs without VNNI, where they otherwise saturate.
    options.add_session_config_entry("session.x64quantprecision", "1")
    # Products with stored weights in float; by default it rounds activations to 8 bits for them.
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    if not optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(work / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])
    feeds = {}
    for i, value in enumerate(model.graph.input):
        sizes = [d.dim_value or 2 for d in value.type.tensor_type.shape.dim]
        feeds[value.name] = np.fromfile(work / f"{inputs_of}.in{i}", np.float32).reshape(sizes)
    return session.run(None, feeds)


def signal_to_noise(reference, other):
    noise = sum(np.sum((a.astype(float) - b.reshape(a.shape)) ** 2) for a, b in zip(reference, other))
    return 10 * np.log10(sum(np.sum(a.astype(float) ** 2) for a in reference) / max(noise, 1e-300))


def ours(name):
    return [np.fromfile(file, np.float32) for file in sorted(work.glob(f"{name}.out*"))]


encoder(work / "encoder.onnx")
subprocess.run([tool, str(work / "models"), str(work / "encoder.onnx")], check=True)
work = work / "models"
failures = []


def check(what, condition):
    if not condition:
        failures.append(what)
    print("ok  " if condition else "FAIL", what)


upgrades = sorted(path.name[: -len("_before.onnx")] for path in work.glob("upgrade_*_before.onnx"))
compared = 0
for name in upgrades:
    after = run(f"{name}_after", name)
    try:
        before = run(f"{name}_before", name)
    except Exception as error:  # forms that this runtime never had, or has no more
        print("skip", name, "before:", str(error).splitlines()[0][:150])
        continue
    compared += 1
    same = all(a.shape == b.shape and np.allclose(a, b, rtol=1e-5, atol=1e-6) for a, b in zip(before, after))
    check(f"{name}: the upgraded graph computes the same", same)
check(f"{compared} of {len(upgrades)} upgraded graphs compared", compared >= len(upgrades) * 0.9)

# What is left of the signal at least, in dB: 4 and 16 bits differ by 6 dB a bit. Between the runtime and us there is
# the order of float sums, and in dynamic quantization a step where a rounding tie falls to the other side.
LEAST = {"int8": 30, "int4": 8, "int4_groups": 10, "int16": 60, "dynamic": 25}
for model in ("convolutions", "encoder"):
    reference = run(f"{model}_float", model)
    for mode, least in LEAST.items():
        found = run(f"{model}_{mode}", model)
        to_float, to_us = signal_to_noise(reference, found), signal_to_noise(found, ours(f"{model}_{mode}"))
        check(f"{model} {mode}: {to_float:.1f} dB to float, {to_us:.1f} dB to our executor",
              to_float >= least and to_us >= (45 if mode == "dynamic" else 90))
for model, least in (("channels", 25), ("wide", 30), ("narrow", 5), ("weights4", 10)):
    # Its optimizer takes scales per channel of an activation for one and then fails.
    reference, found = run(f"{model}_float", model), run(f"{model}_quantized", model, optimized=model != "channels")
    to_float, to_us = signal_to_noise(reference, found), signal_to_noise(found, ours(f"{model}_quantized"))
    check(f"{model}: {to_float:.1f} dB to float, {to_us:.1f} dB to our executor", to_float >= least and to_us >= 40)

sys.exit(f"{len(failures)} checks failed" if failures else 0)
