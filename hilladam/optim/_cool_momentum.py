"""CoolMomentum: heavy-ball momentum whose momentum cools to zero."""

import math
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from hilladam.optim._best import BestSoFar, check_track_best
from hilladam.optim._memory import gather
from hilladam.optim._numbers import check, check_count, check_not_negative, number, plain
from hilladam.optim._ranks import whole

# ρ from ρ₀ and the part of the cooling that is left, which falls from 1 to 0.
_SCHEDULES: dict[str, Callable[[float, float], float]] = {
    "geometric_memory": lambda rho, left: 1 - (1 - rho) ** left,
    "geometric_temperature": lambda rho, left: math.tanh(left * math.atanh(rho)),
    "linear": lambda rho, left: rho * left / (1 - rho * (1 - left)),
}

COOLING_SCHEDULES = tuple(_SCHEDULES)
"""The names that :func:`cooling` knows."""


def cooling(schedule: str, t: float, cooling_steps: float, momentum: float) -> float:
    r"""The momentum :math:`\rho_t` of step t.

    With :math:`u = \min(t / S, 1)` and S = ``cooling_steps``, every schedule falls from :math:`\rho_0` = ``momentum``
    at t = 0 to 0 at t = S, and stays there. They differ in what falls evenly on the way:

    ``"geometric_memory"``
        :math:`\rho_t = 1 - (1 - \rho_0)^{1 - u}`. The memory :math:`1 / (1 - \rho)`, which is the number of gradients
        that a displacement sums up, falls by the same factor at every step. The paper's schedule.
    ``"geometric_temperature"``
        :math:`\rho_t = \tanh((1 - u) \operatorname{artanh} \rho_0)`. The temperature that white gradient noise
        sustains, which is proportional to :math:`(1 + \rho) / (1 - \rho)`, falls by the same factor at every step.
    ``"linear"``
        :math:`\rho_t = \rho_0 (1 - u) / (1 - \rho_0 u)`. Memory and temperature both fall by the same amount at every
        step, since :math:`(1 + \rho) / (1 - \rho) = 2 / (1 - \rho) - 1`.

    Args:
        schedule: one of :data:`COOLING_SCHEDULES`.
        t: the step ≥ 0, counted from 0.
        cooling_steps: S > 0, in steps; ``math.inf`` cools nothing.
        momentum: ρ₀ in [0, 1).

    Raises:
        ValueError: an argument out of its range.

    Example:
        >>> from hilladam.optim import cooling
        >>> [round(cooling("linear", t, cooling_steps=4, momentum=0.9), 3) for t in range(5)]
        [0.9, 0.871, 0.818, 0.692, 0.0]
    """
    _check_cooling(schedule, cooling_steps, momentum)
    if not t >= 0:
        raise ValueError(f"Invalid t: {t}; expected a number >= 0")
    return momentum if cooling_steps == math.inf else _SCHEDULES[schedule](momentum, max(1 - t / cooling_steps, 0.0))


def _check_cooling(schedule: str, cooling_steps: float, momentum: float) -> None:
    check("schedule", schedule, COOLING_SCHEDULES.__contains__, f"one of {COOLING_SCHEDULES}")
    check("cooling_steps value", cooling_steps, lambda v: number(v) > 0, "a number > 0")
    check("momentum value", momentum, lambda v: 0.0 <= number(v) < 1.0, "a number in [0, 1)")


class CoolMomentum(BestSoFar):
    r"""Momentum that is cooled: its friction grows until plain gradient descent is left.

    .. math::
       \begin{aligned}
         &\textbf{input}: \eta \text{ (lr)},\ \rho_0 \text{ (momentum)},\ S \text{ (cooling\_steps)},\ f(\theta)
           \text{ (loss)} \\
         &\textbf{initialize}: \Delta_{-1} \leftarrow 0 \\
         &\textbf{at step } t = 0, 1, \dots \textbf{ with } g_t = \nabla f(\theta_t): \\
         &\quad \rho_t \leftarrow \text{cooling}(\text{schedule}, t, S, \rho_0) \\
         &\quad \Delta_t \leftarrow \rho_t \Delta_{t-1} - \eta\, \tfrac{1 + \rho_t}{2}\, g_t \\
         &\quad \theta_{t+1} \leftarrow \theta_t + \Delta_t
       \end{aligned}

    The update is Verlet's central difference for a mass m with friction,
    :math:`m \ddot\theta = -\nabla f - m \gamma \dot\theta`, at time steps h:

    .. math::
       \eta = \frac{h^2}{m}, \qquad \rho = \frac{1 - \gamma h / 2}{1 + \gamma h / 2}.

    So a momentum that falls is a friction that grows. The optimizer adds no noise (:class:`Langevin` does): its heat
    is the noise of mini-batch gradients, and on a deterministic loss only the growing friction is left. White gradient
    noise of variance :math:`\sigma^2` on a loss of curvature k keeps :attr:`temperature` at
    :math:`\frac{\eta^2 \sigma^2}{4 - \eta k} \cdot \frac{1 + \rho}{1 - \rho}` while ρ stands still.

    Two limits: with ``cooling_steps=math.inf`` nothing cools, and this is :class:`torch.optim.SGD` with momentum ρ₀ and
    learning rate η (1 + ρ₀) / 2. From step S on ρ = 0, and this is gradient descent with learning rate η / 2.

    Source: Borysenko and Byshkin, *CoolMomentum: A Method for Stochastic Optimization by Langevin Dynamics with
    Simulated Annealing*, Scientific Reports 11, 10705 (2021). Weight decay, which their code has, is left out.

    It wanders before it settles. Hand the loss to :meth:`step`, and :meth:`load_best` brings the best parameters back.

    Example:
        >>> import torch
        >>> from hilladam import CoolMomentum
        >>> x = torch.nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
        >>> opt = CoolMomentum([x], lr=0.01, cooling_steps=200)
        >>> for _ in range(400):
        ...     opt.zero_grad()
        ...     loss = (x**4 - 2 * x**2 + 0.3 * x).sum()
        ...     loss.backward()
        ...     loss = opt.step(loss=loss)
        >>> print(f"{opt.load_best():.1f} at {x.item():.1f}")
        -1.3 at -1.0

    Args:
        params (iterable): parameters, named parameters or parameter groups, real or complex, of any shape.
        lr (float): η ≥ 0. Default: 0.01.
        momentum (float): ρ₀ in [0, 1), the momentum of step 0. Default: 0.99.
        schedule (str): how ρ falls; see :func:`cooling`. Default: ``"geometric_memory"``, the paper's.
        cooling_steps (float): S > 0, the step from which ρ is 0, as a rule the number of steps to be taken.
            ``math.inf`` cools nothing. There is no default that would suit both long runs and short ones.
        track_best (bool): keep a copy of the parameters that gave the lowest loss, where losses are given; one more
            tensor a parameter. Default: ``True``.
        process_group (ProcessGroup or False, optional): the ranks whose losses are averaged within the step, so that
            all of them decide alike. Default: ``None``, all ranks once ``torch.distributed`` is initialised; then every
            rank has to call :meth:`step`. ``False``: each rank by itself.

    All arguments but ``track_best`` may differ from group to group. A group that is added later joins the schedule
    where the first one stands. Groups are copied: the dicts given are not changed, and a count of steps or a best loss
    that they hold from another optimizer is dropped. The count of steps is ``"steps"`` in the groups, the displacement
    Δ is ``"displacement"`` in the state, and both are in the state dict, with the best loss and its parameters.

    Raises:
        ValueError: an argument out of its range, in the constructor or in a parameter group.
    """

    _MEMORY: ClassVar[dict[str, Any]] = {"steps": 0, **BestSoFar._MEMORY}
    _OPTIONAL = frozenset({"track_best"})
    _STATE = ("displacement",)

    def __init__(
        self,
        params: ParamsT,
        lr: float = 0.01,
        momentum: float = 0.99,
        *,
        schedule: str = "geometric_memory",
        cooling_steps: float,
        track_best: bool = True,
        process_group: Any = None,
    ):
        defaults = dict(lr=lr, momentum=momentum, schedule=schedule, cooling_steps=cooling_steps, track_best=track_best)
        super().__init__(params, {key: plain(value) for key, value in defaults.items()})
        self._ask(process_group)

    def _check_group(self, group: dict[str, Any]) -> None:
        check_not_negative("learning rate", group["lr"])
        _check_cooling(group["schedule"], group["cooling_steps"], group["momentum"])
        check_track_best(group)

    def _check_memory(self, memory: dict[str, Any], params: list[Tensor]) -> None:
        check_count("steps", memory["steps"])
        self._check_best(memory, params)

    def _leave(self) -> None:
        for _, state in self._known()[0]:
            state["displacement"].zero_()

    @property
    def temperature(self) -> float:
        """The mean of Δ² over all elements of all parameters that have moved; 0 before any step, at rest.

        In squared units of the parameters. Reading it waits for an accelerator.
        """
        displacements = [state["displacement"] for _, state in self._known()[0]]
        squares = sum(whole(torch.linalg.vector_norm(d)).item() ** 2 for d in displacements)
        return float(squares / max(sum(d.numel() for d in displacements), 1))

    def _move(self, loss: float | Tensor | None, dtype: torch.dtype | None) -> None:
        known = self._before()
        tensors = gather(self, "displacement")
        self._keep(known, loss is not None and self._improves(loss))
        for group, (params, grads, displacements) in zip(self.param_groups, tensors, strict=True):
            rho = cooling(group["schedule"], group["steps"], group["cooling_steps"], group["momentum"])
            group["steps"] += 1
            if params:
                torch._foreach_mul_(displacements, rho)
                torch._foreach_add_(displacements, grads, alpha=-group["lr"] * (1 + rho) / 2)
                torch._foreach_add_(params, displacements)
