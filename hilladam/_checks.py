"""What arguments must be. A refusal names the argument, its value and what was expected."""

import math
import operator

import numpy as np


def whole(name: str, value, least: int = 0) -> int:
    """A count of at least ``least``, of any integer type."""
    try:
        count = operator.index(value)
    except TypeError:
        count = None
    if count is None or count < least:
        raise ValueError(f"Invalid {name}: {value}; expected an integer >= {least}")
    return count


def finite(name: str, value, *, least: float = -math.inf, above: float = -math.inf) -> np.ndarray:
    """Numbers without NaN and infinities, as float64."""
    numbers = np.asarray(value, dtype=np.float64)
    if not (np.isfinite(numbers) & (numbers >= least) & (numbers > above)).all():
        bound = f" > {above:g}" if above > -math.inf else f" >= {least:g}" if least > -math.inf else ""
        some = "finite numbers" if numbers.ndim else "a finite number"
        raise ValueError(f"Invalid {name}: {value}; expected {some}{bound}")
    return numbers


def decay(name: str, value) -> float:
    """β or its like, a number in [0, 1)."""
    number = np.asarray(value, dtype=np.float64)
    if number.ndim or not 0 <= number < 1:
        raise ValueError(f"Invalid {name}: {value}; expected a number in [0, 1)")
    return number.item()


def decays(betas) -> tuple[float, float]:
    """(β₁, β₂), with torch's words for one that is out of its range."""
    if len(betas) != 2:
        raise ValueError(f"Invalid betas: {betas}; expected two, (beta1, beta2)")
    return tuple(decay(f"beta parameter at index {index}", beta) for index, beta in enumerate(betas))


def one_of(name: str, value, choices: tuple) -> None:
    if value not in choices:
        raise ValueError(f"Invalid {name}: {value!r}; expected one of {choices}")


def steps_of(name: str, values) -> np.ndarray:
    """Values along the last dimension, at least one, as float64."""
    values = np.asarray(values, dtype=np.float64)
    if not values.ndim or not values.shape[-1]:
        raise ValueError(f"Invalid {name}: shape {values.shape}; expected (..., t) with t >= 1")
    return values
