"""The ground truth is torch's Adam, and the fast form of it is the same to rounding error."""

import numpy as np
import pytest
import torch

from hilladam.losses import DOUBLE_WELL, TABLE_1
from hilladam.theory import adam_path, first_pass, torch_first_pass, way_out

CASES = {"double well": (DOUBLE_WELL, 2.0), "sixth": (TABLE_1["sixth"], 0.6), "tenth": (TABLE_1["tenth"], 0.8)}


def by_torch(f, x0, lr, betas, steps):
    x = torch.nn.Parameter(torch.tensor([x0], dtype=torch.float64))
    optimizer = torch.optim.Adam([x], lr=lr, betas=betas)
    path = [x0]
    for _ in range(steps):
        optimizer.zero_grad()
        f(x).sum().backward()
        optimizer.step()
        path.append(x.item())
    return np.array(path)


@pytest.mark.parametrize("f, x0", CASES.values(), ids=CASES)
@pytest.mark.parametrize("share", [0.001, 0.03, 0.4])
@pytest.mark.parametrize("beta1", [0.5, 0.9, 0.997])
def test_a_path_is_that_of_torch(f, x0, share, beta1):
    lr = share * way_out(f, x0).length
    ours = adam_path(f, x0, None, lr, (beta1, 0.999), 60)
    theirs = by_torch(f, x0, lr, (beta1, 0.999), 60)
    assert np.abs(ours - theirs).max() < 1e-12


def test_both_forms_of_the_truth_agree_on_every_cell_of_a_grid():
    ways = [way_out(*case) for case in CASES.values()]
    lrs = np.array([np.geomspace(way.length / 200, way.length / 2.5, 11) for way in ways])
    beta1 = 1 - np.geomspace(0.5, 0.003, 9)
    real = torch_first_pass(ways, lrs, beta1, steps=400)
    for case, lr, first, ever in zip(CASES.values(), lrs, real.first, real.ever, strict=True):
        ours = first_pass(*case, None, lr, (beta1[:, None], 0.999), steps=400)
        assert (ours.first == first).all()
        assert (ours.ever == ever).all()
        assert 0 < first.sum() < first.size


def test_the_first_pass_is_read_off_the_path():
    way = way_out(DOUBLE_WELL, 2.0)
    for lr in np.geomspace(0.05, 0.7, 12):
        path = way.direction * (adam_path(DOUBLE_WELL, 2.0, None, lr, (0.9, 0.999), 200) - way.x0)
        turns = np.flatnonzero(np.diff(path) < 0)
        crossings = np.flatnonzero(path > way.length)
        expected = len(crossings) > 0 and (len(turns) == 0 or crossings[0] <= turns[0])
        passes = first_pass(DOUBLE_WELL, 2.0, None, lr, (0.9, 0.999), steps=200)
        assert passes.first == expected
        assert passes.ever == (len(crossings) > 0)


def test_escape_is_the_same_in_the_mirror():
    mirrored = [1, 0, -2, "-0.3", 1]
    lr, beta1 = np.geomspace(0.01, 1, 8), np.array([[0.5], [0.9], [0.99]])
    here, there = (
        first_pass(f, x0, None, lr, (beta1, 0.999)).first for f, x0 in ((DOUBLE_WELL, 2.0), (mirrored, -2.0))
    )
    assert (here == there).all()


@pytest.mark.parametrize(
    "lr, betas, message",
    [
        (0.0, (0.9, 0.999), "Invalid lr: 0.0"),
        (np.array([0.1, np.nan]), (0.9, 0.999), "Invalid lr: "),
        (0.1, (1.0, 0.999), "Invalid beta parameter at index 0: 1.0"),
        (0.1, (0.9, np.array([0.9, -1.0])), "Invalid beta parameter at index 1"),
    ],
    ids=str,
)
def test_a_number_out_of_its_range_is_refused(lr, betas, message):
    with pytest.raises(ValueError, match=message):
        first_pass(DOUBLE_WELL, 2.0, None, lr, betas)
