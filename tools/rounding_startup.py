"""What a notebook's kernel runs first under --perturb-rounding; it leaves no name behind."""


def _perturb(folder):
    import os
    import sys

    sys.path.append(folder)
    import rounding

    sys.path.remove(folder)
    rounding.start(int(os.environ[rounding.SEED]), float(os.environ[rounding.SIZE]))


_perturb(__file__.rpartition("/")[0])
del _perturb
