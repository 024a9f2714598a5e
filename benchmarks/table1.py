"""How fast the compiled engine runs Table 1: beside a loop in C, lock step, and the loop a reader would write.

    python benchmarks/table1.py

All of Table 1 is five losses, two optimizers and fifteen seeds of 15,000 steps: 2.25 million. C does the same
arithmetic in the same order, in a plain loop compiled with -O2 -ffp-contract=off, and must come to the same bits. The
reader's loop is an nn.Sequential, the loss written out in powers of x, and an optimizer from torch.optim or hilladam;
it is timed for 300 steps of each loss and optimizer and extrapolated. All times but the last one are those of one core,
as the processor counts them, so that other programs on the machine matter little.
"""

import ctypes
import itertools
import math
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from hilladam import HillAdam
from hilladam.experiments import StackedMLP, network, summarize, table1
from hilladam.losses import TABLE_1

SEEDS, STEPS, SAMPLE, MANY = 15, 15_000, 300, 1000
CELLS = list(itertools.product(TABLE_1, ("Adam", "Hill-ADAM")))


def timed(function, *arguments, **options):
    start = time.process_time()
    result = function(*arguments, **options)
    return time.process_time() - start, result


def alone(key: str, optimizer: str, steps: int) -> None:
    """One run as a reader would write it."""
    coefficients = [float(c) for c in TABLE_1[key].coefficients]
    degree = len(coefficients) - 1
    model, ones = network(seed=0), torch.ones(6, dtype=torch.float64)
    if optimizer == "Adam":
        opt = torch.optim.Adam(model.parameters(), lr=0.01)
    else:
        opt = HillAdam(model.parameters(), lr=0.01, delta=1e-4, gamma=200.0)
    for _ in range(steps):
        x = model(ones)
        loss = sum(c * x ** (degree - power) for power, c in enumerate(coefficients) if c).squeeze()
        opt.zero_grad()
        loss.backward()
        opt.step() if optimizer == "Adam" else opt.step(loss=loss)


def one_by_one() -> float:
    """Seconds that the reader's loop would take for all of Table 1."""
    return sum(timed(alone, *cell, SAMPLE)[0] for cell in CELLS) * STEPS / SAMPLE * SEEDS


def compiled_c(folder: str):
    """The plain loop in C as a function of a cell, to its (best losses, last losses); None without a compiler."""
    compiler = shutil.which("cc")
    if not compiler:
        return None
    library = Path(folder) / "table1.so"
    source = Path(__file__).with_suffix(".c")
    subprocess.run([compiler, "-O2", "-ffp-contract=off", "-shared", "-fPIC", source, "-o", library, "-lm"], check=True)
    run, number, pointer = ctypes.CDLL(str(library)).run, ctypes.c_double, np.ctypeslib.ndpointer(np.float64)
    run.argtypes = [pointer, pointer, ctypes.c_int, number, ctypes.c_long, number, number, number, pointer, pointer]

    def cell(key: str, optimizer: str):
        loss = TABLE_1[key]
        coefficients = np.array(loss.about_centre)
        weights = StackedMLP(range(SEEDS)).parameters[0].detach().numpy()
        best, last = np.empty(SEEDS), np.empty(SEEDS)
        rule = (0.0, math.inf) if optimizer == "Adam" else (1e-4, 200.0)
        for i in range(SEEDS):
            run(weights[i], coefficients, loss.degree, loss.middle, STEPS, 0.01, *rule, best[i:], last[i:])
        return best, last

    return cell


def main() -> None:
    torch.set_num_threads(1)  # the fastest for tensors this small
    with tempfile.TemporaryDirectory() as folder:
        c = compiled_c(folder)
        first, _ = timed(table1, range(SEEDS), 1)
        alone("x2", "Adam", SAMPLE)
        loop = one_by_one()
        # In turn, and the fastest of three: the machine has moods.
        engine, plain = [], []
        for _ in range(3):
            seconds, runs = timed(table1, range(SEEDS), STEPS)
            engine.append(seconds)
            if c:
                seconds, there = timed(lambda: {cell: c(*cell) for cell in CELLS})
                plain.append(seconds)
        lock_step, _ = timed(table1, range(SEEDS), STEPS, engine="lock step", device="cpu")
        loop = (loop + one_by_one()) / 2
    assert (summarize(runs).xs("Hill-ADAM", level="optimizer")["success"] == 1).all()
    ours = min(engine)
    print(f"compiled      {ours:7.2f} s for Table 1 (bar 1), after {first:.1f} s to load or to compile")
    if c:
        for cell, (best, last) in there.items():
            assert (runs[cell].best_losses == best).all() and (runs[cell].final_losses == last).all(), cell
        print(f"plain C       {min(plain):7.2f} s, the same bits; the engine over C: {ours / min(plain):.2f} (bar 1.5)")
    else:
        print("plain C       no compiler")
    print(f"lock step     {lock_step:7.2f} s, {lock_step / ours:.0f} times slower")
    print(f"one by one    {loop:7.0f} s (extrapolated), {loop / ours:.0f} times slower (bar 600)")
    threads, start = os.cpu_count() or 1, time.perf_counter()
    seconds, runs = timed(table1, range(MANY), STEPS, threads=threads)
    clock = time.perf_counter() - start
    print(f"{MANY} seeds a cell: {clock:.0f} s on {threads} cores, which worked for {seconds:.0f} s (bar 120)")


if __name__ == "__main__":
    main()
