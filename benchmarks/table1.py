"""How much faster lock step is than one network and one optimizer a run.

    python benchmarks/table1.py

The peer is the loop a reader would write: an nn.Sequential, the loss written out in powers of x, an optimizer from
torch.optim or hilladam, and 15,000 steps, for each of five losses, two optimizers and fifteen seeds. It is timed for
500 steps of each loss and optimizer and extrapolated to all 2.25 million steps; lock step does them all.
"""

import time

import torch

from hilladam import HillAdam
from hilladam.experiments import network, summarize, table1
from hilladam.losses import TABLE_1

SEEDS, STEPS, SAMPLE = 15, 15_000, 500


def alone(key: str, optimizer: str, steps: int) -> float:
    """Seconds for one run as a reader would write it."""
    coefficients = [float(c) for c in TABLE_1[key].coefficients]
    degree = len(coefficients) - 1
    model, ones = network(seed=0), torch.ones(6, dtype=torch.float64)
    if optimizer == "Adam":
        opt = torch.optim.Adam(model.parameters(), lr=0.01)
    else:
        opt = HillAdam(model.parameters(), lr=0.01, delta=1e-4, gamma=200.0)
    start = time.perf_counter()
    for _ in range(steps):
        x = model(ones)
        loss = sum(c * x ** (degree - power) for power, c in enumerate(coefficients) if c).squeeze()
        opt.zero_grad()
        loss.backward()
        opt.step() if optimizer == "Adam" else opt.step(loss=loss)
    return time.perf_counter() - start


def main() -> None:
    torch.set_num_threads(1)  # the fastest for tensors this small, in both
    cells = [(key, optimizer) for key in TABLE_1 for optimizer in ("Adam", "Hill-ADAM")]
    alone("x2", "Adam", SAMPLE)
    before = sum(alone(*cell, SAMPLE) for cell in cells)
    start = time.perf_counter()
    runs = table1(range(SEEDS), STEPS)
    together = time.perf_counter() - start
    after = sum(alone(*cell, SAMPLE) for cell in cells)  # half before, half after: the machine's mood drifts
    loop = (before + after) / 2 * STEPS / SAMPLE * SEEDS
    assert (summarize(runs).xs("Hill-ADAM", level="optimizer")["success"] == 1).all()
    print(f"one by one {loop:.0f} s (extrapolated), lock step {together:.1f} s")
    print(f"lock step is {loop / together:.0f} times faster (bar 40)")


if __name__ == "__main__":
    main()
