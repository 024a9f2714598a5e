"""The optimizers by the names that text, figures and stored data give them, and how each is made."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer, ParamsT

from hilladam.experiments._restarts import RestartedAdam
from hilladam.experiments._training import Optimizers
from hilladam.optim import CoolMomentum, HillAdam, Langevin, ReferenceHillAdam, SimulatedAnnealing


@dataclass(frozen=True, kw_only=True)
class _Settings:
    """What :class:`Contender` documents."""

    betas: tuple[float, float] | None = None
    delta: float = 1e-4
    gamma: float = math.inf
    steps: int | None = None
    temperature: float | None = None
    generator: torch.Generator | None = None
    draw: Callable[[Tensor], Tensor] | None = None
    fused: bool = False

    @property
    def adam(self) -> dict:
        return {} if self.betas is None else {"betas": self.betas}

    @property
    def kernel(self) -> dict:
        return {"fused": True} if self.fused else {"foreach": False}

    def momentum(self, default: float) -> float:
        return default if self.betas is None else self.betas[0]


@dataclass(frozen=True)
class Contender:
    """An optimizer by its one name. Call it with parameters and a learning rate, and it makes a fresh one.

    Besides those it takes settings by name, and passes over what is of no use to it, so that one call serves all:

    - ``betas``: β₁, which is also the momentum, and β₂, which is also RMSprop's α. Default: each optimizer's own.
    - ``delta``, ``gamma``: δ and γ of Hill-ADAM, and δ of the restarts. Default: 1e-4 and ``math.inf``.
    - ``steps``: how long the run will be; what cools has cooled by then.
    - ``temperature``: where Langevin dynamics and simulated annealing start to cool, in units of the loss.
    - ``generator``: where random numbers come from. Default: torch's global one.
    - ``draw``: takes the indices of members to new random starts for them, for the restarts.
    - ``fused``: whether to take torch's fused implementation where there is one. Default: ``False``, the one that goes
      from tensor to tensor.

    Raises:
        ValueError: a number out of its range, or none for a setting that the contender :attr:`needs`.

    Example:
        >>> import torch
        >>> from hilladam.experiments import CONTENDERS
        >>> weights = torch.tensor([3.0], requires_grad=True)
        >>> nadam = CONTENDERS["NAdam"]([weights], 0.01, betas=(0.8, 0.99), delta=1e-3)  # which knows no δ
        >>> type(nadam).__name__, nadam.param_groups[0]["betas"]
        ('NAdam', (0.8, 0.99))
    """

    name: str
    """As text, figures and stored data write it."""
    make: Callable[[Any, float, Any], Optimizer | ReferenceHillAdam]
    """Takes parameters, learning rate and settings to an optimizer."""
    told: str = ""
    """When its step needs the loss, because it decides for a whole model: ``"every step"``, or ``"every epoch"``, when
    it is the loss over all data. Empty where gradients alone will do, or a closure."""
    needs: tuple[str, ...] = ()
    """The settings that it cannot do without."""
    lock_step: Callable[[Any, float, Any], ReferenceHillAdam] | None = None
    """Makes what keeps many members apart, where the optimizer itself decides for a whole model."""

    def __call__(self, params: ParamsT, lr: float, **settings) -> Optimizer | ReferenceHillAdam:
        return self._made(self.make, params, lr, settings)

    def for_rows(self, params: Sequence[Tensor], lr: float, **settings) -> Optimizer | ReferenceHillAdam:
        """One optimizer for many members side by side, each a row of every parameter; for :func:`train`."""
        return self._made(self.lock_step or self.make, params, lr, settings)

    def for_each(self, params: Sequence[Tensor], lr: float, **settings) -> Optimizers:
        """The same where every member has a parameter of its own: a list, if the optimizer decides for a model."""
        return [self([param], lr, **settings) for param in params] if self.told else self(params, lr, **settings)

    def _made(self, make, params, lr, settings):
        if not 0 <= lr < math.inf:
            raise ValueError(f"Invalid lr: {lr}; expected a finite number >= 0")
        given = _Settings(**settings)
        for name in self.needs:
            if getattr(given, name) is None:
                raise ValueError(f"Invalid {name}: none; {self.name} needs it")
        return make(params, lr, given)


def _hill_adam(params, lr, given):
    return HillAdam(params, lr, **given.adam, delta=given.delta, gamma=given.gamma, **given.kernel)


def _reference(params, lr, given):
    return ReferenceHillAdam(params, lr, **given.adam, delta=given.delta, gamma=given.gamma)


def _rmsprop(params, lr, given):
    smoothing = {} if given.betas is None else {"alpha": given.betas[1]}
    return torch.optim.RMSprop(params, lr, **smoothing, foreach=False)


def _langevin(params, lr, given):
    """Cools linearly, and stands at 0 from ``steps`` on."""
    return Langevin(
        params, lr, given.momentum(0.9), generator=given.generator,
        temperature=lambda t: given.temperature * max(1 - t / given.steps, 0.0),
    )  # fmt: skip


def _annealing(params, lr, given):
    """Cools geometrically, to a thousandth."""
    alpha = 1e-3 ** (1 / given.steps)
    return SimulatedAnnealing(params, lr, temperature=given.temperature, alpha=alpha, generator=given.generator)


ONCE_AN_EPOCH = "Hill-ADAM, once an epoch"

CONTENDERS: dict[str, Contender] = {
    contender.name: contender
    for contender in (
        Contender("SGD", lambda params, lr, given: torch.optim.SGD(params, lr, **given.kernel)),
        Contender("momentum", lambda params, lr, given: torch.optim.SGD(
            params, lr, momentum=given.momentum(0.9), **given.kernel)),
        Contender("Nesterov", lambda params, lr, given: torch.optim.SGD(
            params, lr, momentum=given.momentum(0.9), nesterov=True, **given.kernel)),
        Contender("RMSprop", _rmsprop),
        Contender("Adam", lambda params, lr, given: torch.optim.Adam(params, lr, **given.adam, **given.kernel)),
        Contender("AMSGrad", lambda params, lr, given: torch.optim.Adam(
            params, lr, **given.adam, amsgrad=True, **given.kernel)),
        Contender("NAdam", lambda params, lr, given: torch.optim.NAdam(params, lr, **given.adam, foreach=False)),
        Contender("RAdam", lambda params, lr, given: torch.optim.RAdam(params, lr, **given.adam, foreach=False)),
        Contender("CoolMomentum", lambda params, lr, given: CoolMomentum(
            params, lr, given.momentum(0.99), cooling_steps=given.steps), needs=("steps",)),
        Contender("Langevin", _langevin, needs=("steps", "temperature")),
        Contender("simulated annealing", _annealing, needs=("steps", "temperature")),
        Contender("Hill-ADAM", _hill_adam, told="every step", lock_step=_reference),
        Contender("Adam, restarted", lambda params, lr, given: RestartedAdam(
            params, lr, given.draw, delta=given.delta), needs=("draw",)),
        Contender(ONCE_AN_EPOCH, _hill_adam, told="every epoch"),
    )
}  # fmt: skip
"""Every optimizer that the experiments compare, by its name. Each experiment chooses some of them."""


def chosen(names: Iterable[str], among: Sequence[str], kind: str = "optimizer") -> list[str]:
    """The names as a list.

    Raises:
        ValueError: no name, one twice, or one that the experiment does not know; ``kind`` is what the message calls it.
    """
    found = [names] if isinstance(names, str) else list(names)
    for name in found:
        if name not in among:
            raise ValueError(f"Invalid {kind}: {name!r}; expected one of {tuple(among)}")
    if not found or len(set(found)) < len(found):
        raise ValueError(f"Invalid {kind}s: {found or 'none'}; expected at least one, and none twice")
    return found
