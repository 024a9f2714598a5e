"""What ``import hilladam`` costs beyond ``import torch``, in fresh interpreters.

python benchmarks/import_time.py
"""

import statistics
import subprocess
import sys

CODE = """
import time
start = time.perf_counter(); import torch
middle = time.perf_counter(); import hilladam
print(middle - start, time.perf_counter() - middle)
"""


def seconds() -> tuple[float, ...]:
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    return tuple(float(part) for part in run.stdout.split())


def main(rounds: int = 11) -> None:
    seconds()  # the first one writes the byte code
    theirs, ours = map(statistics.median, zip(*(seconds() for _ in range(rounds)), strict=True))
    print(f"import torch {theirs:.2f} s, import hilladam {ours * 1e3:.0f} ms more (bar 50 ms)")


if __name__ == "__main__":
    main()
