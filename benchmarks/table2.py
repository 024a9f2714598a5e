"""How long Table 2 takes for twelve pairs and four seeds, beside one network and one optimizer a run.

    python benchmarks/table2.py

The peer is the loop a reader would write, with the same optimizers from torch.optim and hilladam, and torch's defaults.
It is timed for 60 steps of each optimizer and extrapolated to all 288,000 steps; lock step does them all.
"""

import time

import torch

from hilladam import colour
from hilladam.experiments import (
    CONTENDERS,
    TABLE_2_CONTENDERS,
    TABLE_2_SEEDS,
    TABLE_2_SIZES,
    network,
    summarize_table2,
    table2,
    tabulate,
)
from hilladam.losses import ColourLoss

STEPS, SAMPLE, BAR = 1000, 60, 180


def alone(name: str, loss: ColourLoss, steps: int) -> float:
    """Seconds for one run as a reader would write it."""
    model, one = network(TABLE_2_SIZES, "sigmoid", 100, torch.float32), torch.ones(1)
    optimizer = CONTENDERS[name](model.parameters(), 1e-2, delta=1e-4, gamma=200.0)
    start = time.perf_counter()
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss(model(one))
        value.backward()
        optimizer.step(loss=value) if CONTENDERS[name].told else optimizer.step()
    return time.perf_counter() - start


def main() -> None:
    torch.set_num_threads(2)
    losses = {
        pair.name: ColourLoss(colour.channel_means(pair.source), colour.channel_means(pair.target))
        for pair in colour.pairs()
    }
    runs = len(losses) * len(TABLE_2_SEEDS)
    first = next(iter(losses.values()))
    alone("Adam", first, SAMPLE)
    before = sum(alone(name, first, SAMPLE) for name in TABLE_2_CONTENDERS)
    start = time.perf_counter()
    table = tabulate(table2(losses, steps=STEPS, history=False), losses)
    together = time.perf_counter() - start
    after = sum(
        alone(name, first, SAMPLE) for name in TABLE_2_CONTENDERS
    )  # half before, half after: the machine's mood drifts
    loop = (before + after) / 2 * STEPS / SAMPLE * runs
    print(summarize_table2(table)[["best_global", "final_global"]].round(2))
    print(f"one by one {loop:.0f} s (extrapolated), lock step {together:.0f} s (bar {BAR})")
    print(f"lock step is {loop / together:.1f} times faster")


if __name__ == "__main__":
    main()
