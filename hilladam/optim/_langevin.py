"""Underdamped Langevin dynamics: momentum with the noise that its friction owes."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from hilladam.optim._cool_momentum import gather
from hilladam.optim._seeded import Seeded


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

    Args:
        params (iterable): parameters, named parameters or parameter groups; real, of any shape.
        lr (float): η ≥ 0, in squared units of the parameters per unit of the loss.
        momentum (float or Callable[[int], float]): ρ in [0, 1), or a function of the step, counted from 0.
            Default: 0.9.
        temperature (float or Callable[[int], float]): T ≥ 0, in units of the loss, or a function of the step.
        generator (torch.Generator, optional): where the noise comes from; on the device of the parameters.
            Default: ``None``, torch's global generator.

    All but the generator may differ from group to group. The state dict holds the count of steps, Δ, κ and the place of
    the generator; the optimizer that loads it needs a generator of its own, on a device of the same kind, and goes on
    bit for bit. It does not hold functions of the step (torch's ``LambdaLR`` does not either): give them to the
    constructor again. Nor does it hold the place of torch's global generator: save ``torch.get_rng_state()``.

    Raises:
        ValueError: an argument out of its range, in the constructor or in a parameter group.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float,
        momentum: float | Callable[[int], float] = 0.9,
        *,
        temperature: float | Callable[[int], float],
        generator: torch.Generator | None = None,
    ):
        super().__init__(params, dict(lr=lr, momentum=momentum, temperature=temperature, steps=0), generator)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a parameter group; it takes up the count of steps where the first group stands.

        Raises:
            ValueError: an argument out of its range.
        """
        if isinstance(param_group, dict):
            if self.param_groups:
                param_group.setdefault("steps", self.param_groups[0]["steps"])
            group = {**self.defaults, **param_group}
            if not 0.0 <= group["lr"] < math.inf:
                raise ValueError(f"Invalid learning rate: {group['lr']}; expected a finite number >= 0")
            _now(group)
        super().add_param_group(param_group)
        for param in param_group["params"]:
            if not param.is_floating_point():
                self.param_groups.pop()
                raise ValueError(f"Invalid parameter dtype: {param.dtype}; expected a real floating-point type")

    def state_dict(self) -> dict[str, Any]:
        """The state without the functions of the step; see the class."""
        saved = super().state_dict()
        for group in saved["param_groups"]:
            for key in ("momentum", "temperature"):
                if callable(group[key]):
                    del group[key]
        return saved

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a saved state; what it lacks, because it was a function of the step, stays as it is here.

        Raises:
            ValueError: a state dict that does not fit, or one with the state of a generator where there is none.
        """
        own = [{key: group[key] for key in ("momentum", "temperature")} for group in self.param_groups]
        super().load_state_dict(state_dict)
        for index, settings in enumerate(own):
            self.param_groups[index] = {**settings, **self.param_groups[index]}

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None):
        """Take one step. Parameters without a gradient are left as they are.

        Args:
            closure (Callable, optional): clears the gradients, computes the loss, calls ``backward()`` on it and
                returns it.

        Returns:
            What the closure returned; ``None`` without.

        Raises:
            RuntimeError: a sparse gradient.
            ValueError: a function of the step that gave a momentum or a temperature out of its range.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        now = [_now(group) for group in self.param_groups]
        tensors = gather(self, "displacement", "kick")
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
        return loss


def _now(group: dict[str, Any]) -> tuple[float, float]:
    """The momentum and the temperature of the coming step, inside their ranges."""
    step = group["steps"]
    rho, temperature = (v(step) if callable(v) else v for v in (group["momentum"], group["temperature"]))
    if not 0.0 <= rho < 1.0:
        raise ValueError(f"Invalid momentum value: {rho} at step {step}; expected a number in [0, 1)")
    if not 0.0 <= temperature < math.inf:
        raise ValueError(f"Invalid temperature value: {temperature} at step {step}; expected a finite number >= 0")
    return rho, temperature
