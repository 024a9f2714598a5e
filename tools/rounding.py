"""Another machine's last bit, on this machine: a pytest plugin that finds what hangs on rounding.

    pytest --perturb-rounding=SEED [--rounding-size=ULPS]

multiplies every loss value and every gradient by 1 + u·ε, with u ∈ {−1, 0, 1} and ε the precision of its dtype, in the
tests and in the kernels of the notebooks. Whatever a test asserts or a notebook prints must stand all the same. Losses
are what polynomials, surfaces, colour losses and ensembles return, and what any torch module returns; gradients what
``derivative``, ``torch.autograd.grad`` and ``backward`` do. Exact numbers and compiled code, also torch's, are out of
its reach.

u is drawn from the seed and the number's own fraction. So a loss is still a function, as it is on every machine; the
sign and a power of two change nothing in how it is rounded; and what is exact on each machine by itself (a run that is
resumed goes on bit for bit) may still be asserted.

A larger size, say 16, finds the printed digits that lie near a rounding edge.
"""

import functools
import os
import struct
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

SEED, SIZE = "HILLADAM_ROUNDING", "HILLADAM_ROUNDING_SIZE"
_FLOAT64 = np.dtype(np.float64)
_PRECISIONS = {  # an integer as wide as the dtype, the bits of the fraction; two odd multipliers and a shift that mix
    _FLOAT64: (np.uint64, 2**52 - 1, 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 29),
    np.dtype(np.float32): (np.uint32, 2**23 - 1, 0x9E3779B1, 0x85EBCA6B, 15),
}
_DOUBLE, _BITS, _WORD = struct.Struct("d"), struct.Struct("Q"), 2**64 - 1


def pytest_addoption(parser):
    group = parser.getgroup("rounding")
    group.addoption("--perturb-rounding", type=int, metavar="SEED", help="give losses and gradients other last bits")
    group.addoption("--rounding-size", type=float, default=1.0, metavar="ULPS", help="how many last bits (default 1)")


def pytest_configure(config):
    config.addinivalue_line("markers", "own_rounding: --perturb-rounding leaves this test alone")
    seed, size = config.getoption("--perturb-rounding"), config.getoption("--rounding-size")
    if seed is not None:  # the kernels inherit the environment; only an interactive Python heeds PYTHONSTARTUP
        startup = str(Path(__file__).with_name("rounding_startup.py"))
        os.environ.update({SEED: str(seed), SIZE: str(size), "PYTHONSTARTUP": startup})
        config.stash[_HERE] = start(seed, size)  # before the tests are imported, which may keep a bound method
        config.add_cleanup(config.stash[_HERE].close)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    if _HERE in item.config.stash:
        item.config.stash[_HERE].paused = item.get_closest_marker("own_rounding") is not None
    return (yield)


class Perturbation(ExitStack):
    """What :func:`start` has put in place; ``close()`` takes it away."""

    paused = False


_HERE = pytest.StashKey[Perturbation]()


def start(seed: int, size: float = 1.0) -> Perturbation:
    """Perturb the losses and gradients of this process from now on.

    Args:
        seed: of the perturbation.
        size: its size, in units of each dtype's precision.
    """
    import torch

    from hilladam.experiments import StackedMLP
    from hilladam.losses import ColourLoss, Polynomial, Surface, Torus, Wells
    from hilladam.losses._polynomial import _Stacked

    stack = Perturbation()

    def change(value):
        return value if stack.paused else perturb(value, seed, size)

    for owner, name in (
        (Polynomial, "__call__"), (Polynomial, "derivative"), (Surface, "__call__"),
        (Surface, "value_and_gradient"), (ColourLoss, "__call__"), (Torus, "__call__"), (Wells, "__call__"),
        (Torus, "value_and_gradient"), (Wells, "value_and_gradient"),
        (StackedMLP, "__call__"), (torch.autograd, "grad"),
    ):  # fmt: skip
        stack.enter_context(patch.object(owner, name, _after(getattr(owner, name), change)))
    stack.enter_context(patch.object(_Stacked, "forward", staticmethod(_after(_Stacked.forward, change))))
    stack.enter_context(patch.object(torch.autograd, "backward", _backward(torch.autograd.backward, change)))
    hook = torch.nn.modules.module.register_module_forward_hook(lambda module, inputs, output: change(output))
    stack.callback(hook.remove)
    return stack


def perturb(value, seed: int, size: float = 1.0):
    """Another machine's result in place of ``value``: a float, array or tensor, or a tuple of them.

    Anything else comes back as it is: integers, exact sympy numbers, other precisions.
    """
    import torch

    if isinstance(value, tuple):
        return tuple(perturb(part, seed, size) for part in value)
    if type(value) is float:
        return value * _factor_of_one(value, seed, size)
    if isinstance(value, torch.Tensor):
        if value.dtype not in (torch.float32, torch.float64) or value.is_meta or torch.compiler.is_compiling():
            return value
        if torch._C._functorch.is_functorch_wrapped_tensor(value):
            return value
        if value.dtype is torch.float64 and value.numel() == 1:
            return value * _factor_of_one(value.item(), seed, size)
        factor = _factor(value.numpy(force=True), seed, size)
        return value * torch.as_tensor(factor, device=value.device)
    if isinstance(value, (np.ndarray, np.floating)) and value.dtype in _PRECISIONS:
        return value * _factor(value, seed, size)
    return value


def _factor(value, seed: int, size: float) -> np.ndarray:
    """1 + u·size·ε in the shape and dtype of ``value``; u is 0 half of the time."""
    integer, fraction, first, second, shift = _PRECISIONS[value.dtype]
    mixed = np.atleast_1d(value).view(integer) & integer(fraction)
    mixed ^= integer(seed * 0x2545F491 & 0xFFFFFFFF)
    mixed *= integer(first)
    mixed ^= mixed >> integer(shift)
    mixed *= integer(second)
    mixed >>= integer(8 * mixed.itemsize - 2)  # two bits: 0, 1, 2 or 3
    return _factors(value.dtype, size).take(mixed.astype(np.intp)).reshape(value.shape)


def _factor_of_one(value: float, seed: int, size: float) -> float:
    """What :func:`_factor` is for one number in double precision, in a tenth of the time."""
    _, fraction, first, second, shift = _PRECISIONS[_FLOAT64]
    (bits,) = _BITS.unpack(_DOUBLE.pack(value))
    mixed = (bits & fraction ^ seed * 0x2545F491 & 0xFFFFFFFF) * first & _WORD
    mixed = (mixed ^ mixed >> shift) * second & _WORD
    return _one_of(size)[mixed >> 62]


@functools.cache
def _factors(dtype: np.dtype, size: float) -> np.ndarray:
    return np.array([1 - size * np.finfo(dtype).eps, 1, 1, 1 + size * np.finfo(dtype).eps], dtype)


@functools.cache
def _one_of(size: float) -> list[float]:
    return _factors(_FLOAT64, size).tolist()


def _after(function: Callable, change: Callable) -> Callable:
    @functools.wraps(function)
    def changed(*args, **kwargs):
        return change(function(*args, **kwargs))

    return changed


def _backward(backward: Callable, change: Callable) -> Callable:
    """torch.autograd.backward, and then other gradients in the leaves that it reaches."""
    import torch

    @functools.wraps(backward)
    def changed(tensors, *args, **kwargs):
        roots = [tensors] if isinstance(tensors, torch.Tensor) else list(tensors)
        leaves = list(_leaves(roots))
        result = backward(tensors, *args, **kwargs)
        for leaf in leaves:
            if leaf.grad is not None and not leaf.grad.requires_grad:
                leaf.grad.copy_(change(leaf.grad))
        return result

    return changed


def _leaves(roots):
    nodes = [root.grad_fn for root in roots]
    yield from (root for root in roots if root.is_leaf and root.requires_grad)
    seen = set()
    while nodes:
        node = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            yield node.variable
        nodes.extend(following for following, _ in node.next_functions)
