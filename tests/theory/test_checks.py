"""What numbers become that are in their range, and what is said of those that are not."""

import re

import numpy as np
import pytest

from hilladam._checks import decay, finite, steps_of, whole


@pytest.mark.parametrize("make", [lambda x: finite("x", x), lambda x: steps_of("x", x)], ids=["finite", "steps"])
@pytest.mark.parametrize("given", [[1, 2], np.array([1.0, 2.0], dtype=np.float32)], ids=["integers", "single"])
def test_numbers_are_counted_in_double_precision(make, given):
    numbers = make(given)
    assert numbers.dtype == np.float64 and numbers.tolist() == [1.0, 2.0]


def test_one_number_is_pythons_own():
    assert type(decay("beta", 0)) is float and type(whole("count", np.int64(3))) is int


@pytest.mark.parametrize(
    "value, bounds, message",
    [
        (np.nan, {}, "Invalid x: nan; expected a finite number"),
        (np.inf, {"least": 0}, "Invalid x: inf; expected a finite number >= 0"),
        ([0.5, 0], {"above": 0}, "Invalid x: [0.5, 0]; expected finite numbers > 0"),
        (-1, {"least": 0}, "Invalid x: -1; expected a finite number >= 0"),
    ],
)
def test_a_refusal_says_what_was_expected_and_no_more(value, bounds, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        finite("x", value, **bounds)


@pytest.mark.parametrize("values", [1.0, [], np.ones((3, 0))], ids=["a number", "none", "rows of none"])
def test_steps_are_at_least_one_along_the_last_dimension(values):
    with pytest.raises(ValueError, match=r"Invalid x: shape \(.*\); expected \(..., t\) with t >= 1"):
        steps_of("x", values)
