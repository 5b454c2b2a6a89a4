"""formats.py OCTAVO OCTAVO_RUN_MODEL WORK: ONNX Runtime runs what Octavo writes, in integers, as Octavo says it will.

Every opset from 10 to 21, both storages of weights, every dialect, QOperator form, and the way back from models that
ONNX Runtime's own tool quantized: on the digits model, a made net and, where they are, the models of shared data.
"""
from __future__ import annotations

import collections
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import proof  # noqa: E402

OCTAVO, RUNNER, WORK = sys.argv[1], sys.argv[2], Path(sys.argv[3])
WORK.mkdir(parents=True, exist_ok=True)
check = proof.Checks()

LOWEST_IR = {10: 5, 11: 6, 12: 7, 13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10}
PER_TENSOR = WORK / "per_tensor.yaml"
PER_TENSOR.write_text("global_qconfig:\n  w_qscheme: {granularity: per_tensor}\n")


def run(model: Path, subject: proof.Subject, exact: bool = True) -> tuple[list[list[proof.Array]], collections.Counter]:
    """Outputs for each sample, and the kernels of the graph as the runtime has optimized it."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if exact:  # on CPUs without VNNI as well
        options.add_session_config_entry("session.x64quantprecision", "1")
    optimized = WORK / "optimized.onnx"
    options.optimized_model_filepath = str(optimized)
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    outputs = [session.run(None, {subject.input: x}) for x in subject.samples()]
    return outputs, collections.Counter(node.op_type for node in onnx.load(optimized).graph.node)


def shown(kernels: collections.Counter) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kernels.items()))


def compare(what: str, subject: proof.Subject, written: Path, qdq: Path, least_db: float, integer: str,
            least: int, exact: bool = True) -> collections.Counter:
    """`written` in the runtime beside our run of the graph `qdq`; at least so many kernels on integers."""
    theirs, kernels = run(written, subject, exact)
    ours = proof.our_outputs(RUNNER, qdq, subject.samples(), WORK)
    proof.compare(check, what, subject, ours, theirs, least_db)
    print("     ", shown(kernels))
    check(f"{subject.name}, {what}: {kernels[integer]} {integer}, {kernels['Conv']} Conv in float",
          kernels[integer] >= least and kernels["Conv"] == 0)
    return kernels


def valid(path: Path, opset: int) -> bool:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    versions = {entry.domain: entry.version for entry in model.opset_import}
    return versions[""] == opset and model.ir_version == LOWEST_IR[opset]


def prove_opsets() -> None:
    old = proof.made_net(WORK, 10)
    for opset, ir_version in LOWEST_IR.items():
        subject = proof.made_net(WORK, opset)
        config = () if opset >= 13 else ("--config", PER_TENSOR)
        path = proof.quantize(OCTAVO, subject, WORK / f"opset{opset}.onnx", *config)
        check(f"a model of opset {opset} stays one, of IR version {ir_version}", valid(path, opset))
        compare("Q/DQ", subject, path, path, 60, "QLinearConv", 6)
        raised = proof.quantize(OCTAVO, old, WORK / "raised.onnx", "--opset", opset, "--config", PER_TENSOR)
        check(f"opset 10 raised to {opset}", valid(raised, opset))
        compare(f"raised to {opset}", old, raised, raised, 60, "QLinearConv", 6)


def prove_signed() -> None:
    """Signed activations: a Relu is no saturation then, and ONNX Runtime has no QGemm for them.

    Its exact mode makes unsigned ones of them but for what QOperators clip, and then finds no kernel.
    """
    if "vnni" not in Path("/proc/cpuinfo").read_text():
        print("skip signed QOperators: this CPU has no VNNI, they saturate")
        return
    subject = proof.made_net(WORK, 13)
    config = WORK / "signed.yaml"
    config.write_text("global_qconfig:\n  a_qscheme: {qdtype: qint8}\n")
    qdq = proof.quantize(OCTAVO, subject, WORK / "signed.onnx", "--config", config)
    written = WORK / "signed.qoperator.onnx"
    proof.run_command(OCTAVO, "export", qdq, "--to", "onnx-qoperator", "-o", written)
    compare("signed QOperator", subject, written, qdq, 40, "QLinearConv", 6, exact=False)


def prove_dialects() -> None:
    subject = proof.made_net(WORK, 13)
    for backend in ("onnxruntime", "openvino", "tensorrt"):
        for storage in ("integers", "floats"):
            path = proof.quantize(OCTAVO, subject, WORK / "dialect.onnx", "--backend", backend, "--weight-storage",
                                  storage)
            onnx.checker.check_model(str(path), full_check=True)
            theirs, kernels = run(path, subject)
            ours = proof.our_outputs(RUNNER, path, subject.samples(), WORK)
            proof.compare(check, f"{backend}, weights as {storage}", subject, ours, theirs, 30)
            print("     ", shown(kernels))


def prove_qoperators(subjects: list[proof.Subject]) -> None:
    for subject in subjects:
        qdq = proof.quantize(OCTAVO, subject, WORK / f"{subject.path.stem}.qdq.onnx")
        convolutions = sum(node.op_type == "Conv" for node in onnx.load(qdq).graph.node)
        fused = compare("Q/DQ", subject, qdq, qdq, 25, "QLinearConv", convolutions)
        written = WORK / f"{subject.path.stem}.qoperator.onnx"
        proof.run_command(OCTAVO, "export", qdq, "--to", "onnx-qoperator", "-o", written)
        kernels = compare("QOperator", subject, written, qdq, 25, "QLinearConv", convolutions)
        check(f"{subject.name}: QOperator runs as many operators on integers as Q/DQ",
              sum(kernels.values()) <= sum(fused.values()) + 2)
        back = WORK / "back.onnx"
        proof.run_command(OCTAVO, "export", written, "--to", "onnx", "-o", back)
        again = proof.our_outputs(RUNNER, back, subject.samples()[:20], WORK)
        ours = proof.our_outputs(RUNNER, qdq, subject.samples()[:20], WORK)
        check(f"{subject.name}, QOperator read back: {proof.signal_to_noise(ours, again):.1f} dB to our own run",
              proof.signal_to_noise(ours, again) >= 35)


class Reader:
    """Calibration samples for ONNX Runtime's own tool."""

    def __init__(self, name: str, samples: list[proof.Array]) -> None:
        self.name, self.rest = name, iter(samples)

    def get_next(self) -> dict[str, proof.Array] | None:
        sample = next(self.rest, None)
        return None if sample is None else {self.name: sample}


def prove_reading(subject: proof.Subject) -> None:
    """Models that ONNX Runtime's quantize_static wrote: the runtime's run of them and ours."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = WORK / "prepared.onnx"
    quant_pre_process(str(subject.path), str(prepared))
    for form in (QuantFormat.QDQ, QuantFormat.QOperator):
        # It has no kernels for all of the signed QOperators that its tool writes.
        for activations in (QuantType.QUInt8, QuantType.QInt8) if form == QuantFormat.QDQ else (QuantType.QUInt8,):
            path = WORK / "theirs.onnx"
            quantize_static(str(prepared), str(path), Reader(subject.input, subject.samples()[:32]), quant_format=form,
                            activation_type=activations, weight_type=QuantType.QInt8, per_channel=True)
            restored = WORK / "restored.onnx"
            proof.run_command(OCTAVO, "export", path, "--to", "onnx", "-o", restored)
            kinds = {(node.domain, node.op_type) for node in onnx.load(restored).graph.node}
            check(f"{subject.name}, {form.name}: no operator on integers is left",
                  not any(domain or kind.startswith("QLinear") for domain, kind in kinds))
            theirs, _ = run(path, subject)
            ours = proof.our_outputs(RUNNER, restored, subject.samples(), WORK)
            proof.compare(check, f"ONNX Runtime's own {form.name}, {activations.name}", subject, ours, theirs, 25)


def prove_linear_layers() -> None:
    """Linear layers over stacks of matrices, as transformers have them, with their biases in float behind them."""
    random = np.random.default_rng(3)
    nodes, constants = [], []
    for i, (rows, columns) in enumerate([(16, 32), (32, 8)]):
        constants.append(numpy_helper.from_array(random.normal(0, 0.3, (rows, columns)).astype(np.float32), f"w{i}"))
        constants.append(numpy_helper.from_array(random.normal(0, 1, columns).astype(np.float32), f"b{i}"))
        nodes.append(helper.make_node("MatMul", ["xt"[i], f"w{i}"], [f"m{i}"]))
        nodes.append(helper.make_node("Add", [f"b{i}", f"m{i}"], ["ay"[i]]))
    nodes.insert(2, helper.make_node("Tanh", ["a"], ["t"]))
    values = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 6, 16]),
              helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 6, 8])]
    model = helper.make_model(helper.make_graph(nodes, "linear", values[:1], values[1:], constants),
                              opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    onnx.save(model, WORK / "linear.onnx")
    samples = random.normal(0, 1, (24, 1, 6, 16)).astype(np.float32)
    folder = WORK / "linear_samples"
    folder.mkdir(exist_ok=True)
    for i, sample in enumerate(samples[:16]):
        np.save(folder / f"{i:02}.npy", sample)
    subject = proof.Subject("linear layers", WORK / "linear.onnx", "x", ("--images", str(folder)),
                            lambda: list(samples[16:]))
    path = proof.quantize(OCTAVO, subject, WORK / "linear.qdq.onnx")
    compare("Q/DQ", subject, path, path, 60, "MatMulIntegerToFloat", 2)


made = proof.made_net(WORK, 13)
prove_linear_layers()
prove_opsets()
prove_dialects()
prove_signed()
prove_qoperators([proof.digits(), made, proof.made_net(WORK, 12), *proof.shared_models(100)])
for each_subject in (proof.digits(), made):
    prove_reading(each_subject)
check.finish()
