"""What the book says of escape golf: how few gradients lead from 0.05 to the global minimum of the sixth order."""

from itertools import product

import numpy as np
import pytest

from hilladam.experiments import run_points
from hilladam.losses import TABLE_1

# The positions of the explorer's sliders; δ is 0 or two to a factor of ten, γ four to a factor of ten or infinite.
MEMORIES = [0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9995, 0.9999]
DELTAS = [0.0, *(float(f"{10 ** (power / 2):.1e}") for power in range(-16, 3))]
GAMMAS = [*(float(f"{10 ** (power / 4):.1e}") for power in range(17)), np.inf]


def gradients(betas, deltas, gammas):
    """After how many gradients each run is at the global minimum; infinite where it never is."""
    loss = TABLE_1["sixth"]
    values = [point.value for point in loss.stationary_points]
    gate = min(values) + 0.01 * (max(values) - min(values))
    losses = run_points(loss, np.full(len(deltas), 0.05), 300, lr=0.01, betas=betas, delta=deltas, gamma=gammas).losses
    return np.where((losses < gate).any(0), (losses < gate).argmax(0), np.inf)


def test_the_hole_of_the_book():
    pytest.importorskip("numba")
    assert gradients((0.9, 0.999), [1e-3], [200.0]) == 133
    deltas, gammas = np.array(list(product(DELTAS, GAMMAS))).T
    assert min(gradients(betas, deltas, gammas).min() for betas in product(MEMORIES, MEMORIES)) == 60
