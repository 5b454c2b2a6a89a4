#!/usr/bin/python3
"""Observers and quantizers beside PyTorch's, in one run: the least of several times, on 1x64x112x112 and 16 M floats.

    /usr/bin/python3 bench/kernels_vs_torch.py build/bench/throughput [--rounds 3] [--repeats 20]

Needs torch (Debian's python3-torch 1.13.1). Each round runs ours and theirs in turn, pinned to as many cores as threads
and with real-time priority where that is allowed. PyTorch's times are those of its own modules and functions, the
outputs they allocate included; ours write into buffers that are there.
"""
import argparse
import os
import shutil
import subprocess
import sys
import time

BARS = {"min_max": 1, "per_channel_min_max": 10, "histogram": 8, "quantize": 15, "quantize_per_channel": 15,
        "fake_quantize": 15, "fake_quantize_per_channel": 15}


def torch_times(threads, repeats):
    import torch
    from torch.ao.quantization import observer as observers
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    for side in (112, 512):
        x = torch.randn(1, 64, side, side)
        scales, zeros = torch.full((64,), 0.03), torch.zeros(64, dtype=torch.int32)
        made = {"min_max": observers.MinMaxObserver(), "histogram": observers.HistogramObserver(),
                "per_channel_min_max": observers.PerChannelMinMaxObserver(ch_axis=1)}
        runs = {name: (lambda module=module: module(x)) for name, module in made.items()}
        runs["quantize"] = lambda: torch.quantize_per_tensor(x, 0.03, 0, torch.qint8)
        runs["quantize_per_channel"] = lambda: torch.quantize_per_channel(x, scales, zeros, 1, torch.qint8)
        runs["fake_quantize"] = lambda: torch.fake_quantize_per_tensor_affine(x, 0.03, 0, -128, 127)
        runs["fake_quantize_per_channel"] = lambda: torch.fake_quantize_per_channel_affine(x, scales, zeros, 1, -128, 127)
        for name, run in runs.items():
            least = float("inf")
            for _ in range(repeats if side == 112 else max(3, repeats // 5)):
                start = time.perf_counter()
                run()
                least = min(least, time.perf_counter() - start)
            print(name, x.numel(), threads, f"{least * 1e3:.6f}")


def measured(command, threads):
    pinned = ["taskset", "-c", ",".join(map(str, sorted(os.sched_getaffinity(0))[:threads]))] + command
    realtime = ["chrt", "-f", "50"] + pinned
    allowed = shutil.which("chrt") and subprocess.run(["chrt", "-f", "50", "true"], capture_output=True).returncode == 0
    out = subprocess.run(realtime if allowed else pinned, check=True, capture_output=True, text=True).stdout
    return {tuple(line.split()[:3]): float(line.split()[3]) for line in out.splitlines()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("throughput", help="the binary, or with --torch nothing", nargs="?")
    parser.add_argument("--torch", type=int, metavar="THREADS", help="print PyTorch's times only")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=20)
    args = parser.parse_args()
    if args.torch:
        torch_times(args.torch, args.repeats)
        return
    ours, theirs = {}, {}
    for _ in range(args.rounds):
        for threads in (1, 2):
            for times, command in ((ours, [args.throughput, str(threads), str(args.repeats)]),
                                   (theirs, [sys.executable, __file__, "--torch", str(threads), "--repeats",
                                             str(args.repeats)])):
                for key, value in measured(command, threads).items():
                    times[key] = min(times.get(key, value), value)
    print("| what | floats | threads | torch ms | ours ms | ratio | asked |\n|---|---|---|---|---|---|---|")
    for key, value in sorted(theirs.items(), key=lambda item: (int(item[0][1]), item[0][2])):
        name, floats, threads = key
        ratio = value / ours[key]
        print(f"| {name} | {floats} | {threads} | {value:.3f} | {ours[key]:.3f} | {ratio:.1f} | {BARS[name]} |"
              + ("" if ratio >= BARS[name] else " missed"))
    for key, value in ours.items():
        if key not in theirs:
            print(f"{key[0]}: {value:.3f} ms for all thresholds of {key[1]} bins (asked: 1)")


if __name__ == "__main__":
    main()
