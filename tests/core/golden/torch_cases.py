"""What PyTorch's observers and fake-quantizers make of sequences of tensors, as lines that torch_cases.h reads.

Made with Debian 12's python3-torch 1.13.1 and numpy 1.24.2. Floats are the hexadecimal digits of their 32 bits.
make_observers.py writes the golden file with it, tests/torch/run.py compares live.

    sequence TITLE DIMENSIONS…
    batch FLOATS                    one tensor; several follow each other
    case OBSERVER FAKE_QUANTIZER QTYPE BITS SYMMETRIC SYMMETRIC_RANGE REDUCE_RANGE EXPLICIT_RANGE AXIS CONSTANT BATCH_SIZE
    min, max, scale, zero_point     after the last batch
    fake FLOATS                     what becomes of the last batch
    quantized INTEGERS              the same by ONNX QuantizeLinear, in numpy's words
    gradient KIND AXIS QUANT_MIN QUANT_MAX FACTOR
    by, scale, real_zero_point      dy and the parameters for the first batch
    dx, dscale, dzero_point
"""
import math
import warnings

import numpy as np
import torch
from torch.ao.quantization import fake_quantize as fq
from torch.ao.quantization import observer as obs

warnings.filterwarnings("ignore")

MIN_MAX = ["MinMaxObserver", "MovingAverageMinMaxObserver", "PerChannelMinMaxObserver",
           "MovingAveragePerChannelMinMaxObserver"]
LSQ = ["LSQObserver", "LSQPerChannelObserver"]


def hexes(array):
    return " ".join(f"{v:08x}" for v in np.ascontiguousarray(array, np.float32).view(np.uint32).ravel())


def scheme(qtype, bits=8, symmetric=0, symmetric_range=0, reduce_range=0, explicit_range=0):
    return (qtype, bits, symmetric, symmetric_range, reduce_range, explicit_range)


def limits(scheme):
    qtype, bits, _, symmetric_range, reduce_range, _ = scheme
    low = 0 if qtype == "quint8" else -(1 << (bits - 1)) + symmetric_range
    high = (1 << bits) - 1 if qtype == "quint8" else (1 << (bits - 1)) - 1
    return (low // 2, high // 2) if reduce_range else (low, high)


def make_observer(name, scheme, axis, constant):
    qtype, bits, symmetric, symmetric_range, reduce_range, explicit_range = scheme
    per_channel = "PerChannel" in name
    kind = ("per_channel_" if per_channel else "per_tensor_") + ("symmetric" if symmetric else "affine")
    args = {"dtype": getattr(torch, qtype), "qscheme": getattr(torch, kind)}
    if bits != 8 or symmetric_range or explicit_range:
        args["quant_min"], args["quant_max"] = limits(scheme)
    elif reduce_range:
        args["reduce_range"] = True
    if per_channel:
        args["ch_axis"] = axis
    if "MovingAverage" in name:
        args["averaging_constant"] = constant
    if name in LSQ:  # MMRazor's observers are PyTorch's with another scale
        name = "PerChannelMinMaxObserver" if per_channel else "MinMaxObserver"
    return getattr(obs, name)(**args)


def joined(batches, size):
    """As pictures of one batch meet an observer: one tensor of them all."""
    return [torch.cat([torch.from_numpy(b) for b in batches[i:i + size]]) for i in range(0, len(batches), size)]


def lsq_scale(name, tensor, axis, high):
    magnitudes = tensor.abs()
    if name == "LSQPerChannelObserver":
        mean = magnitudes.transpose(0, axis).flatten(1).mean(1)
    else:
        mean = magnitudes.mean()
    return torch.clamp(2 * mean / math.sqrt(high), min=torch.finfo(torch.float32).eps).reshape(-1)


def fake_quantized(x, scale, zero_point, axis, low, high):
    if axis >= 0:
        return torch.fake_quantize_per_channel_affine(x, scale, zero_point.int(), axis, low, high)
    return torch.fake_quantize_per_tensor_affine(x, float(scale), int(zero_point), low, high)


def observed(name, scheme, axis, constant, batches):
    """(min, max, scale, zero point) after the batches."""
    observer = make_observer(name, scheme, axis, constant)
    for batch in batches:
        observer(batch)
    if name == "HistogramObserver":
        low, high = observer._non_linear_param_search()
        return low, high, *observer.calculate_qparams()
    scale, zero_point = observer.calculate_qparams()
    if name in LSQ:
        scale = lsq_scale(name, batches[-1], axis, observer.quant_max)
    return observer.min_val, observer.max_val, scale, zero_point


def fused(observer_name, scheme, axis, constant, batches):
    """The same of FusedMovingAvgObsFakeQuantize, and its last output."""
    observer = make_observer(observer_name, scheme, axis, constant)
    module = fq.FusedMovingAvgObsFakeQuantize(observer=lambda **_: observer)
    for batch in batches:
        out = module(batch)
    return observer.min_val, observer.max_val, module.scale, module.zero_point, out


def write_case(out, name, fake_quantizer, scheme, axis, constant, batch_size, batches, quantized=False):
    if "PerChannel" not in name:
        axis = -1
    elif fake_quantizer == "FusedMovingAvgObsFakeQuantize":
        axis = 0  # all that PyTorch's CPU code can do
    low, high = limits(scheme)
    tensors = joined(batches, batch_size)
    last = torch.from_numpy(batches[-1])
    if fake_quantizer == "FusedMovingAvgObsFakeQuantize":
        least, most, scale, zero_point, _ = fused(name, scheme, axis, constant, tensors)
    else:
        least, most, scale, zero_point = observed(name, scheme, axis, constant, tensors)
        if fake_quantizer == "LearnableFakeQuantize" and scheme[2]:
            zero_point = torch.zeros_like(zero_point)
    fake = fake_quantized(last, scale, zero_point, axis, low, high)
    out("case", name, fake_quantizer, *scheme, axis, constant, batch_size)
    out("min", hexes(least.numpy()))
    out("max", hexes(most.numpy()))
    out("scale", hexes(scale.numpy()))
    out("zero_point", *zero_point.numpy().ravel())
    out("fake", hexes(fake.numpy()))
    if quantized:
        shape = [1] * last.dim()
        if axis >= 0:
            shape[axis] = -1
        steps = np.rint(batches[-1] / scale.numpy().reshape(shape))
        out("quantized", *np.clip(steps + zero_point.numpy().reshape(shape), low, high).astype(np.int32).ravel())


def write_gradient(out, rng, scheme, axis, learnable, x):
    """Gradients by x, and of LSQ those by scale and zero point, which PyTorch multiplies by a factor."""
    low, high = limits(scheme)
    channels = x.shape[axis] if axis >= 0 else 1
    spread = max(float(np.abs(x).max()), 1e-6)
    scale = (spread * rng.uniform(0.3, 1.5, channels) / (high - low)).astype(np.float32)
    # Per tensor PyTorch 1.13 takes negative zero points one too high on the way back: left out.
    zero_point = rng.uniform(max(low, 0) if axis < 0 else low, high, channels)
    zero_point = np.zeros(channels) if scheme[2] else zero_point if learnable else np.rint(zero_point)
    dy = rng.standard_normal(x.shape).astype(np.float32)
    factor = 1.0 / math.sqrt(x.size / channels * high) if learnable else 1.0
    leaves = [torch.from_numpy(x.copy()).requires_grad_(), torch.from_numpy(scale).requires_grad_(learnable),
              torch.from_numpy(zero_point.astype(np.float32)).requires_grad_(learnable)]
    if not learnable:
        y = fake_quantized(leaves[0], leaves[1], leaves[2], axis, low, high)
    elif axis >= 0:
        y = torch._fake_quantize_learnable_per_channel_affine(*leaves, axis, low, high, factor)
    else:
        y = torch._fake_quantize_learnable_per_tensor_affine(*leaves, low, high, factor)
    y.backward(torch.from_numpy(dy))
    out("gradient", "learnable" if learnable else "straight_through", axis, low, high, hexes([factor]))
    out("by", hexes(dy))
    out("scale", hexes(scale))
    out("real_zero_point", hexes(zero_point))
    out("dx", hexes(leaves[0].grad.numpy()))
    if learnable:
        out("dscale", hexes(leaves[1].grad.numpy()))
        out("dzero_point", hexes(leaves[2].grad.numpy()))
    out("end")


def write_sequence(out, title, batches):
    out("sequence", title, *batches[0].shape)
    for batch in batches:
        out("batch", hexes(batch))
