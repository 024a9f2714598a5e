"""The interval of a rate is Wilson's."""

import math

import numpy as np
import pytest
import torch

from hilladam.experiments import wilson_interval


def wilson(successes, runs, z=1.959963984540054):
    share, weight = successes / runs, z * z / runs
    middle, half = share + weight / 2, z * math.sqrt(share * (1 - share) / runs + weight / runs / 4)
    return (middle - half) / (1 + weight), (middle + half) / (1 + weight)


@pytest.mark.parametrize("successes, runs", [(0, 15), (12, 15), (15, 15), (1, 1), (30, 60), (7, 1000)])
def test_the_interval_is_wilsons(successes, runs):
    assert wilson_interval(successes, runs) == pytest.approx(wilson(successes, runs), abs=1e-12)


def test_more_confidence_is_a_wider_interval():
    assert wilson_interval(12, 15, 0.99) == pytest.approx(wilson(12, 15, 2.5758293035489), abs=1e-12)


@pytest.mark.parametrize("make", [list, np.array, np.float64, torch.tensor])
def test_counts_of_any_shape_have_intervals_of_that_shape(make):
    counts = [[0, 3, 15], [1, 8, 14]]
    low, high = wilson_interval(make(counts), 15)
    assert low.shape == high.shape == (2, 3)
    for index, k in np.ndenumerate(counts):
        assert (low[index], high[index]) == pytest.approx(wilson(k, 15), abs=1e-12)


def test_a_number_has_numbers_for_ends():
    for count in (3, np.int64(3), torch.tensor(3), np.array(3)):
        low, high = wilson_interval(count, np.int32(15))
        assert type(low) is type(high) is float


@pytest.mark.parametrize(
    "successes, runs, message",
    [
        (1, 0, "Invalid runs: 0; expected an integer >= 1"),
        (1, 1.5, "Invalid runs: 1.5; expected an integer >= 1"),
        (-1, 5, "Invalid successes: -1; expected whole numbers from 0 to 5"),
        ([2, 6], 5, r"Invalid successes: \[2, 6\]; expected whole numbers from 0 to 5"),
        (2.5, 5, "Invalid successes: 2.5"),
        (math.nan, 5, "Invalid successes: nan"),
        ([True, False], 2, "Invalid successes"),  # the runs themselves, not how many succeeded
    ],
)
def test_what_is_no_count_is_refused(successes, runs, message):
    with pytest.raises(ValueError, match=message):
        wilson_interval(successes, runs)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95, math.nan])
def test_a_confidence_is_a_share(confidence):
    with pytest.raises(ValueError, match="Invalid confidence"):
        wilson_interval(1, 2, confidence)
