"""Numbers as they come: made exact, or floating point in which they lose as little as may be."""

import numbers
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, SupportsFloat

import torch
from torch import Tensor

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Exact = SupportsFloat | str
"""An integer, fraction, decimal, decimal string or float, of Python, numpy, sympy or torch; see :func:`exact`."""


def exact(number: Exact, argument: str) -> Fraction:
    """The number at its exact value. numpy's integers, left as they are, overflow in a Fraction."""
    value = number.item() if getattr(number, "shape", None) == () else number
    try:
        if isinstance(value, numbers.Rational):
            return Fraction(int(value.numerator), int(value.denominator))
        if isinstance(value, Decimal | str):
            return Fraction(value)
        if isinstance(value, numbers.Real):
            ratio = getattr(value, "as_integer_ratio", None) or float(value).as_integer_ratio  # sympy has none
            return Fraction(*ratio())
    except (ValueError, OverflowError, ZeroDivisionError):
        raise ValueError(_message(argument, number)) from None
    raise TypeError(_message(argument, number))


def floating(x: "ArrayLike | Tensor") -> Tensor:
    """``x`` as a tensor in its own floating-point precision, or in double precision where it has none."""
    x = torch.as_tensor(x, dtype=None if hasattr(x, "dtype") else torch.float64)
    return x if x.is_floating_point() else x.double()


def _message(argument, number):
    return f"Invalid {argument}: {number!r}; expected a finite integer, fraction, decimal, decimal string or float"
