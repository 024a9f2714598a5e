"""What is trained: points moved directly, and ensembles of small networks with a constant input."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

ACTIVATIONS = {"none": nn.Identity, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "relu": nn.ReLU}


def network(
    sizes: Sequence[int] = (6, 4, 3, 1), activation: str = "none", seed: int = 0, dtype=torch.float64
) -> nn.Sequential:
    """A fully connected network with torch's default initialisation.

    Args:
        sizes: the widths of its layers; the default is Figure 1's.
        activation: a key of :data:`ACTIVATIONS`, used between the layers; the paper does not name one.
        seed: of the initial weights. They are those that ``torch.manual_seed(seed)`` gives a float32 network on the
            CPU, whatever the dtype and the device; torch's global generator is left alone.
        dtype: floating point.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"Invalid activation: {activation!r}; expected one of {tuple(ACTIVATIONS)}")
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed every GPU too
        for wide, narrow in pairwise(sizes):
            layers += [nn.Linear(wide, narrow, dtype=torch.float32, device="cpu"), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1]).to(dtype)


class Points:
    """No network at all: every member is a point ``x``, moved directly.

    Args:
        starts: shape ``(members,)`` or ``(members, dimensions)``.
    """

    def __init__(self, starts: Tensor):
        self.parameters = [starts.detach().clone().requires_grad_()]

    def __call__(self) -> Tensor:
        return self.parameters[0]


class StackedMLP:
    """One :func:`network` for each seed, evaluated together on an input of ones.

    The weights of all layers of a member lie side by side in one row of ``parameters[0]``, of shape ``(members,
    weights)``, so that an optimizer moves a single tensor.

    Args:
        seeds: one for each member; a seed may occur more than once.
        sizes, activation, dtype: as for :func:`network`.
        device: where the ensemble lives.
    """

    def __init__(self, seeds: Sequence[int], sizes: Sequence[int] = (6, 4, 3, 1), activation: str = "none",
                 dtype=torch.float64, device=None):  # fmt: skip
        flat = {s: nn.utils.parameters_to_vector(network(sizes, activation, s, dtype).parameters()) for s in set(seeds)}
        weights = torch.stack([flat[s].detach() for s in seeds]).to(device)
        self.parameters = [weights.requires_grad_()]
        self._activation = ACTIVATIONS[activation]()
        self._ones = torch.ones(len(seeds), 1, sizes[0], dtype=dtype, device=device)
        self._shapes = list(zip(sizes[1:], sizes, strict=False))

    def __call__(self) -> Tensor:
        """The networks' outputs, of shape ``(members, sizes[-1])``."""
        (weights,) = self.parameters
        lengths = [n for rows, columns in self._shapes for n in (rows * columns, rows)]
        parts = weights.split(lengths, dim=1)
        hidden = self._ones
        for layer, (rows, columns) in enumerate(self._shapes):
            if layer:
                hidden = self._activation(hidden)
            matrix = parts[2 * layer].unflatten(1, (rows, columns))
            hidden = torch.baddbmm(parts[2 * layer + 1].unsqueeze(1), hidden, matrix.mT)
        return hidden.squeeze(1)
