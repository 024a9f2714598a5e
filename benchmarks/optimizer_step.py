"""What a step of Hill-ADAM costs beside a step of Adam, when the loss improves every time.

    python benchmarks/optimizer_step.py

An improving loss is the dearest case: the best parameters change at every step, unless only the best turn is kept. The
rival is torch's Adam of the same kind. Every contender takes its turn in short blocks, in an order that changes, so
that a busy machine slows all; the ratio is the median over the blocks. On a CPU they are timed by what one thread
computes, on a GPU by what the device takes. Beside the largest case stands a bare copy of its parameters: the memory's
share of keeping the best at every step.
"""

import statistics
import time

import torch
from torch import nn

from hilladam import HillAdam

PATHS = {"for-loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}
CUDA = torch.cuda.is_available()
# What is added to HillAdam, how it gets its loss, and the most that it may cost on a CPU.
KINDS = {
    "best turn, number": ({"track_best": "turn"}, "number", 1.05),
    "best turn, tensor": ({"track_best": "turn"}, "tensor", 1.05),
    "every best, number": ({}, "number", 1.15),
    "every best, tensor": ({}, "tensor", 1.15),
    "on the device, best turn": ({"track_best": "turn", "capturable": True}, "tensor", None),
    "on the device, every best": ({"capturable": True}, "tensor", None),
}
FUSED_LARGE = 1.45  # in place of 1.15: there one more copy is a large part of the memory's traffic
ON_A_GPU, CAPTURED = 1.10, 1.05


def small(device: str) -> list[nn.Parameter]:
    """The 6-4-3-1 network of Experiment 1."""
    return list(nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 3), nn.Linear(3, 1)).to(device).parameters())


def large(device: str) -> list[nn.Parameter]:
    """Ten million parameters in ten tensors."""
    return [nn.Parameter(torch.randn(1000, 1000, device=device)) for _ in range(10)]


def huge(device: str) -> list[nn.Parameter]:
    """A thousand million parameters in ten tensors."""
    return [nn.Parameter(torch.randn(10000, 10000, device=device)) for _ in range(10)]


def losses(kind: str, device: str, count: int):
    """Losses that are lower every time, made beforehand: numbers, or tensors."""
    every = torch.arange(0.0, -count, -1.0)
    return iter(every.tolist() if kind == "number" else every.to(device).unbind())


def contender(make, device: str, settings: dict | None, kind: str, path: dict, count: int):
    """A step of Hill-ADAM with such settings, or of Adam; and what must hold at the end."""
    torch.manual_seed(0)
    params = make(device)
    for param in params:
        param.grad = torch.randn_like(param)
    if settings is None:
        return torch.optim.Adam(params, **path).step, lambda: True
    optimizer = HillAdam(params, **settings, **path)
    if kind == "graph":
        loss = torch.zeros((), device=device)
        return lambda: optimizer.step(loss=loss.sub_(1.0)), lambda: not optimizer.switches
    each = losses(kind, device, count)
    return lambda: optimizer.step(loss=next(each)), lambda: not optimizer.switches


def captured(step):
    """The same step as a graph that is replayed."""
    for _ in range(3):
        step()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def seconds(step, count: int, device: str) -> float:
    if device == "cuda":
        torch.cuda.synchronize()
    clock = time.thread_time if device == "cpu" and torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    for _ in range(count):
        step()
    if device == "cuda":
        torch.cuda.synchronize()
    return (clock() - start) / count


def ratios(steps: dict, count: int, blocks: int, device: str) -> tuple[float, dict[str, float]]:
    """Median seconds of the first of some steps, and the median ratio of each to it."""
    names, times = list(steps), []
    for block in range(blocks + 1):
        order = names[block % len(names) :] + names[: block % len(names)]
        times.append({name: seconds(steps[name], count, device) for name in order})
    first, *_ = names
    medians = {name: statistics.median(block[name] / block[first] for block in times[1:]) for name in names}
    return statistics.median(block[first] for block in times[1:]), medians


def report(make, device: str, count: int, blocks: int, graphs: bool = False) -> None:
    for path_name, path in PATHS.items():
        kinds = {name: kind for name, kind in KINDS.items() if not graphs or "capturable" in kind[0]}
        adam, _ = contender(make, device, None, "", {**path, "capturable": True} if graphs else path, 0)
        contenders = {
            name: contender(make, device, kind[0], "graph" if graphs else kind[1], path, count * (blocks + 1))
            for name, kind in kinds.items()
        }
        steps = {"Adam": adam, **{name: step for name, (step, _) in contenders.items()}}
        if graphs:
            steps = {name: captured(step) for name, step in steps.items()}
        elif make is not small:
            copies = [param.detach().clone() for param in make(device)]
            others = [param.clone() for param in copies]
            steps["a bare copy"] = lambda into=others, values=copies: torch._foreach_copy_(into, values)
        base, found = ratios(steps, count, blocks, device)
        assert all(holds() for _, holds in contenders.values())
        where = f"{sum(param.numel() for param in make('meta')):,} on {device}{', captured' if graphs else ''}"
        print(f"{where:>32} {path_name:>9} {'Adam':>27} {base * 1e6:8.0f} µs", flush=True)
        for name in [*kinds, *(["a bare copy"] if "a bare copy" in found else [])]:
            bar = CAPTURED if graphs else ON_A_GPU if device == "cuda" else kinds[name][2] if name in kinds else None
            if device == "cpu" and make is not small and path_name == "fused" and bar == 1.15:
                bar = FUSED_LARGE
            goal = (
                ""
                if bar is None or name not in kinds
                else f"  goal {bar:.2f}{'' if found[name] <= bar else '  missed'}"
            )
            print(f"{name:>70} {found[name]:8.3f}{goal}", flush=True)


def main() -> None:
    torch.set_num_threads(1)
    report(small, "cpu", 25, 120)
    report(large, "cpu", 1, 15)
    if CUDA:
        print(torch.cuda.get_device_name())
        report(small, "cuda", 100, 21)
        report(large, "cuda", 20, 21)
        report(huge, "cuda", 3, 7)
        report(small, "cuda", 100, 21, graphs=True)
        report(large, "cuda", 20, 21, graphs=True)


if __name__ == "__main__":
    main()
