"""What counts as a number, and whether it lies in its range."""

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

from torch import Tensor


def plain(value: Any) -> Any:
    """Numpy's scalars as Python's numbers, because a weights-only load refuses them; all else as it is."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "size", 0) == 1 else value


def number(value: Any) -> float:
    """A real number as a float; NaN for anything else."""
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan


def element(value: Any) -> Any:
    """The number in a tensor of one; all else as it is."""
    return value.item() if isinstance(value, Tensor) and value.numel() == 1 else value


def check(name: str, value: Any, holds: Callable[[Any], bool], expected: str) -> None:
    """Raise an error that names the value where it does not hold."""
    if not holds(value):
        raise ValueError(f"Invalid {name}: {value!r}; expected {expected}")


def check_not_negative(name: str, value: Any) -> None:
    check(name, value, lambda v: 0.0 <= number(v) < math.inf, "a finite number >= 0")


def check_count(name: str, value: Any) -> None:
    check(name, value, lambda v: type(v) is int and v >= 0, "an int >= 0")


def check_flag(name: str, value: Any) -> None:
    check(name, value, lambda v: isinstance(v, bool), "True or False")


def check_betas(betas: Any) -> None:
    check("betas", betas, lambda v: isinstance(v, tuple | list) and len(v) == 2, "two numbers in [0, 1)")
    for index, beta in enumerate(betas):
        name = f"beta parameter at index {index}"
        check(name, beta, lambda v: 0.0 <= number(element(v)) < 1.0, "a number in [0, 1)")
