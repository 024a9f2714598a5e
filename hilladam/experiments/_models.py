"""What is trained: points moved directly, and ensembles of small networks with a constant input."""

import math
from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

ACTIVATIONS = {"none": nn.Identity, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "relu": nn.ReLU}

# The derivative of each activation, in terms of what the activation returned.
_SLOPES = {
    "none": lambda y: torch.ones_like(y),
    "tanh": lambda y: 1 - y * y,
    "sigmoid": lambda y: y * (1 - y),
    "relu": lambda y: (y > 0).to(y.dtype),
}


def network(
    sizes: Sequence[int] = (6, 4, 3, 1), activation: str = "none", seed: int = 0, dtype: torch.dtype = torch.float64
) -> nn.Sequential:
    """A fully connected network with torch's default initialisation.

    Args:
        sizes: the widths of its layers; the default is Figure 1's.
        activation: a key of :data:`ACTIVATIONS`, used between the layers; the paper does not name one.
        seed: of the initial weights. They are those that ``torch.manual_seed(seed)`` gives a float32 network on a CPU
            that fuses products and sums, as those of the last ten years do; here they have the same bits on every
            machine, dtype and device. torch's global generator is left alone.
        dtype: floating point.

    Raises:
        ValueError: fewer than two widths or one below 1, an unknown activation, or a dtype that is not floating point.

    Example:
        >>> from hilladam.experiments import network
        >>> model = network((6, 4, 3, 1), "tanh", seed=0)
        >>> [type(layer).__name__ for layer in model]
        ['Linear', 'Tanh', 'Linear', 'Tanh', 'Linear']
        >>> sum(weight.numel() for weight in model.parameters())
        47
    """
    sizes = tuple(sizes)
    if len(sizes) < 2 or not all(isinstance(size, Integral) and size >= 1 for size in sizes):
        raise ValueError(f"Invalid sizes: {sizes}; expected at least two whole numbers >= 1")
    if activation not in ACTIVATIONS:
        raise ValueError(f"Invalid activation: {activation!r}; expected one of {tuple(ACTIVATIONS)}")
    if not dtype.is_floating_point:
        raise ValueError(f"Invalid dtype: {dtype}; expected a floating-point one")
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed every GPU too
        for wide, narrow in pairwise(sizes):
            layers += [_linear(wide, narrow), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1]).to(dtype)


def _linear(wide: int, narrow: int) -> nn.Linear:
    """A layer with torch's default initialisation, rounded once: torch itself rounds as the CPU's instructions do."""
    layer = nn.utils.skip_init(nn.Linear, wide, narrow, dtype=torch.float32, device="cpu")
    bound = float(np.float32(1 / math.sqrt(wide)))
    with torch.no_grad():
        for param in layer.parameters():
            # Exact in double precision, for the number drawn and the bound have 24 bits each.
            param.copy_(torch.rand(param.shape, dtype=torch.float32).double() * (2 * bound) - bound)
    return layer


class Points:
    """No network at all: every member is a point ``x``, moved directly.

    Args:
        starts: shape ``(members,)`` or ``(members, dimensions)``, floating point; they are copied.
        split: makes every member a parameter of its own, so that each can have an optimizer of its own. By default
            there is one parameter for all of them.

    Raises:
        ValueError: starts that are not floating point, or none.

    Example:
        >>> import torch
        >>> from hilladam.experiments import Points
        >>> points = Points(torch.tensor([1.0, 2.0]))
        >>> torch.optim.SGD(points.parameters, 0.1).zero_grad()
        >>> points().tolist(), len(points.parameters)
        ([1.0, 2.0], 1)
    """

    def __init__(self, starts: Tensor, split: bool = False):
        if not starts.is_floating_point() or not starts.numel() or not starts.dim():
            raise ValueError(
                f"Invalid starts: {starts.dtype} of shape {tuple(starts.shape)}; expected floating-point numbers of "
                "shape (members,) or (members, dimensions)"
            )
        parts = starts.detach().unbind() if split else [starts.detach()]
        self.parameters = [part.clone().requires_grad_() for part in parts]
        self._split = split

    def __call__(self) -> Tensor:
        """The points, shaped like the starts."""
        return torch.stack(self.parameters) if self._split else self.parameters[0]


class StackedMLP:
    """One :func:`network` for each seed, evaluated together on an input of ones.

    The weights of all layers of a member lie side by side in one row of a tensor of shape ``(members, weights)``. By
    default that tensor is the only one in ``parameters``, so that an optimizer moves everything with one operation.

    Args:
        seeds: one for each member; a seed may occur more than once.
        sizes, activation, dtype: as for :func:`network`.
        device: where the ensemble lives.
        split: makes every row a parameter of its own. An optimizer that goes from row to row keeps its work in the
            processor's cache, which is faster where a row is long; and each row can have an optimizer of its own.
        scale: what to multiply all initial weights and biases by; a number, or one for each member.

    Raises:
        ValueError: no seed, a scale that is not finite and above 0 or of another shape, or what :func:`network`
            refuses.

    Example:
        >>> from hilladam.experiments import StackedMLP
        >>> ensemble = StackedMLP([0, 1, 2], (6, 4, 3, 1), "tanh")
        >>> ensemble().shape, [tuple(weights.shape) for weights in ensemble.parameters]
        (torch.Size([3, 1]), [(3, 47)])
    """

    def __init__(self, seeds: Sequence[int], sizes: Sequence[int] = (6, 4, 3, 1), activation: str = "none",
                 dtype: torch.dtype = torch.float64, device: torch.device | str | None = None,
                 split: bool = False, scale: ArrayLike = 1.0):  # fmt: skip
        if not len(seeds):
            raise ValueError("Invalid seeds: none; expected at least one")
        factors = np.asarray(scale, dtype=float)
        if factors.shape not in ((), (len(seeds),)) or not ((0 < factors) & (factors < np.inf)).all():
            raise ValueError(f"Invalid scale: {scale}; expected a finite number > 0, or one for each of "
                             f"{len(seeds)} members")  # fmt: skip
        flat = {s: nn.utils.parameters_to_vector(network(sizes, activation, s, dtype).parameters()) for s in set(seeds)}
        rows = torch.stack([flat[s].detach() for s in seeds])
        self._weights = (rows * torch.as_tensor(factors, dtype=dtype).reshape(-1, 1)).to(device)
        parts = self._weights.unbind() if split else [self._weights]
        self.parameters = [part.detach().requires_grad_() for part in parts]  # in the same memory
        self._activation, self._split = activation, split
        self._ones = torch.ones(len(seeds), 1, sizes[0], dtype=dtype, device=device)
        self._shapes = list(zip(sizes[1:], sizes, strict=False))

    def __call__(self) -> Tensor:
        """The networks' outputs, of shape ``(members, sizes[-1])``; differentiable once."""
        settings = self._shapes, self._activation, self._split
        return _Layers.apply(self._weights, self._ones, settings, *self.parameters)


class _Layers(torch.autograd.Function):
    """All networks' layers, with the gradients written straight into one tensor shaped like the weights.

    Automatic differentiation would make a gradient for every slice of the weights and then copy them together, which
    for large networks takes as long as everything else.
    """

    @staticmethod
    def forward(ctx, weights, hidden, settings, *parameters):
        ctx.settings, ctx.inputs = settings, []
        shapes, activation, _ = settings
        activate = ACTIVATIONS[activation]()
        for layer, (matrix, bias) in enumerate(_slices(weights, shapes)):
            if layer:
                hidden = activate(hidden)
            ctx.inputs.append(hidden)
            hidden = torch.baddbmm(bias, hidden, matrix.mT)
        ctx.save_for_backward(weights)
        return hidden.squeeze(1)

    @staticmethod
    def backward(ctx, grad):
        if torch.is_grad_enabled():  # create_graph=True
            raise RuntimeError("StackedMLP is differentiable once; for more, use network()")
        (weights,), (shapes, activation, split) = ctx.saved_tensors, ctx.settings
        grads, grad = torch.empty_like(weights), grad.unsqueeze(1)
        pairs = zip(_slices(weights, shapes), _slices(grads, shapes), ctx.inputs, strict=True)
        for (matrix, _), (matrix_grad, bias_grad), hidden in reversed(list(pairs)):
            torch.mul(grad.mT, hidden, out=matrix_grad)
            bias_grad.copy_(grad)
            if hidden is not ctx.inputs[0]:
                grad = torch.bmm(grad, matrix) * _SLOPES[activation](hidden)
        return None, None, None, *(grads.unbind() if split else [grads])


def _slices(weights: Tensor, shapes) -> list[tuple[Tensor, Tensor]]:
    """The matrices ``(members, rows, columns)`` and biases ``(members, 1, rows)`` that lie side by side in a row."""
    lengths = [n for rows, columns in shapes for n in (rows * columns, rows)]
    parts = iter(weights.split(lengths, dim=1))
    return [(next(parts).unflatten(1, shape), next(parts).unsqueeze(1)) for shape in shapes]
