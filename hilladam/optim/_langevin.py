"""Underdamped Langevin dynamics: momentum with the noise that its friction owes."""

import math
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from hilladam.optim._best import BestSoFar, check_track_best
from hilladam.optim._memory import gather
from hilladam.optim._numbers import check_count, check_not_negative, element, number, plain
from hilladam.optim._seeded import Seeded, check_real


class Langevin(Seeded):
    r"""Langevin dynamics: a mass that rolls over the loss, rubbed by friction and kicked by heat.

    .. math::
       \begin{aligned}
         &\textbf{input}: \eta \text{ (lr)},\ \rho \text{ (momentum)},\ T \text{ (temperature)},\ f(\theta)
           \text{ (loss)} \\
         &\textbf{initialize}: \Delta_{-1} \leftarrow 0,\ \kappa_{-1} \leftarrow 0 \\
         &\textbf{at step } t = 0, 1, \dots \textbf{ with } g_t = \nabla f(\theta_t): \\
         &\quad \kappa_t \leftarrow \sqrt{\eta\, T_t\, \tfrac{1 - \rho_t}{1 + \rho_t}}\; \xi_t,
           \qquad \xi_t \sim \mathcal N(0, 1) \text{ for every element} \\
         &\quad \Delta_t \leftarrow \rho_t \Delta_{t-1}
           - \tfrac{1 + \rho_t}{2} (\eta\, g_t - \kappa_{t-1} - \kappa_t) \\
         &\quad \theta_{t+1} \leftarrow \theta_t + \Delta_t
       \end{aligned}

    This discretises :math:`m \ddot\theta = -\nabla f - m \gamma \dot\theta + \sqrt{2 m \gamma T}\, \dot W` at time
    steps h, with η = h² / m, by the scheme of Grønbech-Jensen and Farago (Molecular Physics 111, 983, 2013), where
    :math:`\rho = (1 - \gamma h / 2) / (1 + \gamma h / 2)`. Every kick acts on two successive displacements, because it
    is the noise of the time between them. Its positions are also those of BAOAB (Leimkuhler and Matthews, Applied
    Mathematics Research eXpress 2013, 34), where :math:`\rho = e^{-\gamma h}`: as long as ρ and T stand still, the two
    schemes differ in nothing but the name of the friction. With ρ = 0 it is the overdamped scheme of the latter,
    :math:`\theta_{t+1} = \theta_t - \tfrac\eta2 g_t + \sqrt{\eta T}\, (\xi_{t-1} + \xi_t) / 2`.

    At a constant temperature the positions settle to the density :math:`\exp(-f / T)`, up to an error of order η, or η²
    where ρ = 0. On a quadratic loss of curvature k there is no error at all while η k < 4, the bound of stability: the
    variance is T / k, and the mean of Δ² is η T (1 + ρ) / 2. On a loss whose curvature has no bound, such as a quartic
    one, a rare kick can throw a member to where any η is too large.

    With T = 0 this is :class:`CoolMomentum` with the same η and ρ, which is so the noise-free limit of this optimizer.
    Give both the same schedule by ``momentum=lambda t: cooling(schedule, t, cooling_steps, momentum)``.

    The noise of different elements is independent, so a tensor may hold any number of members that never meet.

    It never settles while T > 0. Hand the loss to :meth:`step`, and :meth:`load_best` brings the best parameters back.

    Example:
        A thousand walkers start on the hill of a double well and settle to the spread that :math:`\exp(-f / T)` has.

        >>> import torch
        >>> from hilladam import Langevin
        >>> x = torch.nn.Parameter(torch.zeros(1000, dtype=torch.float64))
        >>> opt = Langevin([x], lr=0.05, temperature=0.5, generator=torch.Generator().manual_seed(0))
        >>> for _ in range(400):
        ...     x.grad = 4 * x.detach() ** 3 - 4 * x.detach()
        ...     losses = opt.step(loss=x.detach() ** 4 - 2 * x.detach() ** 2)
        >>> print(f"spread {x.std():.1f}, best loss {opt.best_loss.max():.1f}")
        spread 0.9, best loss -1.0

    Args:
        params (iterable): parameters, named parameters or parameter groups; real, of any shape.
        lr (float): η ≥ 0, in squared units of the parameters per unit of the loss.
        momentum (float or Callable[[int], float]): ρ in [0, 1), or a function of the step, counted from 0.
            Default: 0.9.
        temperature (float or Callable[[int], float]): T ≥ 0, in units of the loss, or a function of the step.
        generator (torch.Generator, optional): where the noise comes from; on the device of the parameters.
            Default: ``None``, torch's global generator.
        track_best (bool): keep a copy of the parameters that gave the lowest loss, where losses are given; one more
            tensor a parameter. Default: ``True``.
        process_group (ProcessGroup or False, optional): the ranks whose losses are averaged within the step, so that
            all of them decide alike. Default: ``None``, all ranks once ``torch.distributed`` is initialised; then every
            rank has to call :meth:`step`. ``False``: each rank by itself.

    All but the generator and ``track_best`` may differ from group to group. Groups are copied: the dicts given are not
    changed, and a count of steps or a best loss that they hold from another optimizer is dropped. The state dict holds
    the count of steps, Δ, κ, the best loss with its parameters and the place of the generator; the optimizer that loads
    it needs a generator of its own, on a device of the same kind, and goes on bit for bit. It does not hold functions
    of the step (torch's ``LambdaLR`` does not either; it has ``None`` there): give them to the constructor again. Nor
    does it hold the place of torch's global generator: save ``torch.get_rng_state()``.

    Raises:
        ValueError: an argument out of its range, in the constructor or in a parameter group.
    """

    _MEMORY: ClassVar[dict[str, Any]] = {"steps": 0, **BestSoFar._MEMORY, **Seeded._MEMORY}
    _OPTIONAL = frozenset({"track_best", "momentum", "temperature"}) | Seeded._OPTIONAL
    _STATE = ("displacement", "kick")

    def __init__(
        self,
        params: ParamsT,
        lr: float,
        momentum: float | Callable[[int], float] = 0.9,
        *,
        temperature: float | Callable[[int], float],
        generator: torch.Generator | None = None,
        track_best: bool = True,
        process_group: Any = None,
    ):
        super().__init__(
            params, dict(lr=lr, momentum=momentum, temperature=temperature, track_best=track_best), generator
        )
        self._ask(process_group)

    def _check_group(self, group: dict[str, Any]) -> None:
        check_not_negative("learning rate", group["lr"])
        _now({"steps": 0, **group})
        check_track_best(group)

    def _check_param(self, param: Tensor) -> None:
        check_real(param)

    def _check_memory(self, memory: dict[str, Any], params: list[Tensor]) -> None:
        check_count("steps", memory["steps"])
        self._check_best(memory, params)

    def _completed(self, index: int, saved: dict[str, Any]) -> dict[str, Any]:
        functions = [key for key in ("momentum", "temperature") if saved.get(key, 0) is None]
        return super()._completed(index, {key: value for key, value in saved.items() if key not in functions})

    def _leave(self) -> None:
        for _, state in self._known()[0]:
            state["displacement"].zero_()
            state["kick"].zero_()

    def state_dict(self) -> dict[str, Any]:
        """The state, with ``None`` for functions of the step; see the class."""
        saved = super().state_dict()
        for group in saved["param_groups"]:
            for key in ("momentum", "temperature"):
                if callable(group[key]):
                    group[key] = None
        return saved

    def _move(self, loss: float | Tensor | None, dtype: torch.dtype | None) -> None:
        now = [_now(group) for group in self.param_groups]
        known = self._before()
        tensors = gather(self, "displacement", "kick")
        self._keep(known, loss is not None and self._improves(loss))
        for group, (rho, temperature), (params, grads, displacements, kicks) in zip(
            self.param_groups, now, tensors, strict=True
        ):
            group["steps"] += 1
            if params:
                half, scale = (1 + rho) / 2, math.sqrt(group["lr"] * temperature * (1 - rho) / (1 + rho))
                torch._foreach_mul_(displacements, rho)
                torch._foreach_add_(displacements, grads, alpha=-group["lr"] * half)
                torch._foreach_add_(displacements, kicks, alpha=half)
                for kick in kicks:
                    kick.normal_(0, scale, generator=self.generator)
                torch._foreach_add_(displacements, kicks, alpha=half)
                torch._foreach_add_(params, displacements)


def _now(group: dict[str, Any]) -> tuple[float, float]:
    """The momentum and the temperature of the coming step, inside their ranges."""
    step = group["steps"]
    rho, temperature = (
        plain(element(v(step) if callable(v) else v)) for v in (group["momentum"], group["temperature"])
    )
    if not 0.0 <= number(rho) < 1.0:
        raise ValueError(f"Invalid momentum value: {rho!r} at step {step}; expected a number in [0, 1)")
    if not 0.0 <= number(temperature) < math.inf:
        raise ValueError(f"Invalid temperature value: {temperature!r} at step {step}; expected a finite number >= 0")
    return rho, temperature
