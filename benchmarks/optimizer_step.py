"""What a step of Hill-ADAM costs beside a step of Adam, when the loss improves every time.

    python benchmarks/optimizer_step.py

An improving loss is the dearest case: the best parameters change at every step. Adam and Hill-ADAM take turns in
short blocks, so that a busy machine slows both, and the ratio is the median over the blocks.
"""

import statistics
import time

import torch
from torch import nn

from hilladam import HillAdam

PATHS = {"for-loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}
BARS = {"for-loop": 1.15, "foreach": 1.15, "fused": 1.30}


def small() -> list[nn.Parameter]:
    """The 6-4-3-1 network of Experiment 1."""
    return list(nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 3), nn.Linear(3, 1)).parameters())


def large() -> list[nn.Parameter]:
    """Ten million parameters in ten tensors."""
    return [nn.Parameter(torch.randn(1000, 1000)) for _ in range(10)]


def seconds(step, count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        step()
    return (time.perf_counter() - start) / count


def ratio(make, options: dict, count: int, blocks: int) -> tuple[float, float]:
    """Median seconds of a step of Adam, and the median ratio of Hill-ADAM's to it."""
    torch.manual_seed(0)
    ours, theirs = make(), make()
    for param in (*ours, *theirs):
        param.grad = torch.randn_like(param)
    hill, adam = HillAdam(ours, **options), torch.optim.Adam(theirs, **options)
    losses = iter(torch.arange(0.0, -count * (blocks + 1), -1.0).unbind())

    def improve():
        hill.step(loss=next(losses))

    def times(block: int) -> tuple[float, float]:  # in alternating order: the second of two finds a warmer cache
        if block % 2:
            return seconds(adam.step, count), seconds(improve, count)
        ours = seconds(improve, count)
        return seconds(adam.step, count), ours

    times(0)
    pairs = [times(block) for block in range(blocks)]
    assert not hill.switches and next(losses, None) is None  # every loss was the best so far
    return statistics.median(a for a, _ in pairs), statistics.median(h / a for a, h in pairs)


def main() -> None:
    print(f"{'parameters':>12} {'path':>9} {'Adam':>11} {'Hill-ADAM / Adam':>17} {'bar':>5}")
    for make, threads, count, blocks in (small, 1, 200, 61), (large, 2, 3, 31):
        torch.set_num_threads(threads)
        for path, options in PATHS.items():
            adam, factor = ratio(make, options, count, blocks)
            total = sum(p.numel() for p in make())
            print(f"{total:12,} {path:>9} {adam * 1e6:8.0f} µs {factor:17.3f} {BARS[path]:5.2f}", flush=True)


if __name__ == "__main__":
    main()
