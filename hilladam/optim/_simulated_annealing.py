"""Simulated annealing: random moves, accepted by Metropolis's rule at a temperature that falls."""

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from hilladam.optim._seeded import Seeded

ANNEALING_SCHEDULES = ("geometric", "logarithmic")
"""The names that :func:`annealing` knows."""

# One acceptance for all parameters: what decides it, and what it remembers, is the same in every group.
_SETTINGS = ("temperature", "schedule", "alpha", "track_best")
_UNDECIDED = {"proposals": 0, "accepted": 0, "loss": None, "best_loss": math.inf}


def annealing(schedule: str, k: float, temperature: float, alpha: float = 0.999) -> float:
    r"""The temperature :math:`T_k` of proposal k; both schedules start at :math:`T_0` = ``temperature``.

    ``"geometric"``
        :math:`T_k = T_0\, \alpha^k`. Kirkpatrick, Gelatt and Vecchi (1983) cool by 0.9 after a stage of many proposals.
    ``"logarithmic"``
        :math:`T_k = T_0 \ln 2 / \ln(k + 2)`, which is the :math:`c / \ln(1 + n)` of Geman and Geman (1984) with
        :math:`c = T_0 \ln 2` and proposals n counted from 1. On finitely many states the walk is in the global minima
        with a probability that goes to 1 if, and only if, c is at least the depth of the deepest other minimum (Hajek,
        1988). It is slow: T₀ / 10 takes 1,022 proposals and T₀ / 100 takes 10³⁰.

    Args:
        schedule: one of :data:`ANNEALING_SCHEDULES`.
        k: the proposal ≥ 0, counted from 0.
        temperature: T₀ ≥ 0, in units of the loss.
        alpha: α in (0, 1]; 1 keeps the temperature. For ``"geometric"`` alone.

    Raises:
        ValueError: an argument out of its range.
    """
    _check_annealing(schedule, temperature, alpha)
    if not k >= 0:
        raise ValueError(f"Invalid k: {k}; expected a number >= 0")
    return temperature * (alpha**k if schedule == "geometric" else math.log(2) / math.log(k + 2))


def _check_annealing(schedule: str, temperature: float, alpha: float) -> None:
    if schedule not in ANNEALING_SCHEDULES:
        raise ValueError(f"Invalid schedule: {schedule!r}; expected one of {ANNEALING_SCHEDULES}")
    if not 0.0 <= temperature < math.inf:
        raise ValueError(f"Invalid temperature value: {temperature}; expected a finite number >= 0")
    if not 0.0 < alpha <= 1.0:
        raise ValueError(f"Invalid alpha value: {alpha}; expected a number in (0, 1]")


class SimulatedAnnealing(Seeded):
    r"""Metropolis's random walk under a falling temperature. It needs losses, and no gradients.

    .. math::
       \begin{aligned}
         &\textbf{input}: \lambda \text{ (lr)},\ T_0 \text{ (temperature)},\ \alpha \text{ (alpha)},\ f(\theta)
           \text{ (loss)} \\
         &\textbf{the first step}: f_\theta \leftarrow f(\theta) \\
         &\textbf{at every other step}, k = 0, 1, \dots: \\
         &\quad \theta' \leftarrow \theta + \lambda\, \xi, \qquad \xi \sim \mathcal N(0, 1) \text{ for every element} \\
         &\quad f' \leftarrow f(\theta'), \qquad T \leftarrow \text{annealing}(\text{schedule}, k, T_0, \alpha) \\
         &\quad \textbf{with probability } \min(1, \exp(-(f' - f_\theta) / T)): \
           \theta \leftarrow \theta',\ f_\theta \leftarrow f'
       \end{aligned}

    A step calls the closure once: the first measures the start, every other one measures a proposal, and the loss that
    was accepted last is remembered::

        opt = SimulatedAnnealing(model.parameters(), lr=0.1, temperature=1.0)
        for _ in range(1000):
            loss = opt.step(lambda: loss_fn(model(x), y))

    **Many members.** A closure that returns one number moves and judges all parameters together. A closure that returns
    losses of shape ``(members,)`` runs that many independent chains in lock step: every parameter then carries the
    members along its first dimension, and each member accepts or rejects for itself.

    **The loss must stand still.** What is remembered was measured when it was accepted. If the loss itself changes, as
    it does from mini-batch to mini-batch, a proposal is compared with a loss of another time, and a lucky one is kept
    for long. Use a fixed batch, or call :meth:`forget_loss` when the loss has changed, which costs a closure call.

    At a constant temperature (``alpha=1``) the walk is in detailed balance with the density :math:`\exp(-f / T)`. A
    proposal whose loss is not finite is rejected; a start whose loss is not finite is left for the first finite one. At
    T = 0 a proposal is accepted if it is not worse.

    Sources: Kirkpatrick, Gelatt and Vecchi, *Optimization by Simulated Annealing*, Science 220, 671 (1983); Metropolis
    et al., Journal of Chemical Physics 21, 1087 (1953). Kirkpatrick cools in stages of many proposals, this optimizer
    by a little after each.

    Args:
        params (iterable): parameters, named parameters or parameter groups; real floating point, of any shape. All of
            them move, whether they require a gradient or not.
        lr (float): λ ≥ 0, the standard deviation of a move in each coordinate, in units of the parameters. It may
            differ from group to group, and a learning rate scheduler may change it.
        temperature (float): T₀ ≥ 0, in units of the loss.
        schedule (str): how T falls; see :func:`annealing`. Default: ``"geometric"``.
        alpha (float): α in (0, 1], the factor by which the geometric schedule cools after each proposal. From T₀ to
            T₁ in N proposals is α = (T₁ / T₀)^(1 / N). Default: 0.999.
        track_best (bool): keep a copy of the parameters that gave the lowest loss; one more tensor a parameter.
            Default: ``True``.
        generator (torch.Generator, optional): where moves and acceptances come from; on the device of the parameters.
            Default: ``None``, torch's global generator.

    ``temperature``, ``schedule``, ``alpha`` and ``track_best`` decide for all parameters together and are the same in
    every group. The state dict holds what is remembered, and the place of the generator: the optimizer that loads it
    needs a generator of its own, on a device of the same kind, and goes on bit for bit. It does not hold the place of
    torch's global generator: save ``torch.get_rng_state()``.

    Raises:
        ValueError: an argument out of its range, in the constructor or in a parameter group.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float,
        *,
        temperature: float,
        schedule: str = "geometric",
        alpha: float = 0.999,
        track_best: bool = True,
        generator: torch.Generator | None = None,
    ):
        settings = dict(temperature=temperature, schedule=schedule, alpha=alpha, track_best=track_best)
        super().__init__(params, dict(lr=lr, **settings, **_UNDECIDED), generator)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a parameter group; it takes part in every proposal from now on.

        Raises:
            ValueError: an argument out of its range, or one of ``temperature``, ``schedule``, ``alpha`` and
                ``track_best`` that differs from the other groups'.
        """
        if isinstance(param_group, dict):
            first = self.param_groups[0] if self.param_groups else {**self.defaults, **param_group}
            for key in (*_SETTINGS, *_UNDECIDED):
                param_group.setdefault(key, first[key])
            lr = param_group.get("lr", self.defaults["lr"])
            if not 0.0 <= lr < math.inf:
                raise ValueError(f"Invalid learning rate: {lr}; expected a finite number >= 0")
            _check_annealing(*(param_group[key] for key in ("schedule", "temperature", "alpha")))
            for key in _SETTINGS:
                if param_group[key] != first[key]:
                    raise ValueError(
                        f"Invalid {key} value: {param_group[key]} in a parameter group; expected {first[key]}, as in "
                        "the first group, because a move of all parameters is accepted or rejected as one"
                    )
        super().add_param_group(param_group)
        for param in param_group["params"]:
            if not param.is_floating_point():
                self.param_groups.pop()
                raise ValueError(f"Invalid parameter dtype: {param.dtype}; expected a real floating-point type")

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a saved state.

        Raises:
            ValueError: a state dict that does not fit, or one with the state of a generator where there is none.
        """
        super().load_state_dict(state_dict)
        device = self.param_groups[0]["params"][0].device  # torch moves only what belongs to a parameter
        first = self.param_groups[0]
        self._remember(**{key: first[key].to(device) for key in _UNDECIDED if isinstance(first[key], Tensor)})

    @property
    def best_loss(self) -> float | Tensor:
        """The lowest finite loss so far, ``math.inf`` before any; for members a tensor of shape ``(members,)``."""
        return _plain(self.param_groups[0]["best_loss"])

    @property
    def acceptance_rate(self) -> float | Tensor:
        """The accepted part of all proposals, NaN before any; for members a tensor of shape ``(members,)``."""
        first = self.param_groups[0]
        return _plain(first["accepted"] / first["proposals"]) if first["proposals"] else math.nan

    @torch.no_grad()
    def load_best(self) -> float | Tensor:
        """Put the parameters that gave :attr:`best_loss` back, each member's own, exactly; the walk goes on from there.

        Returns:
            :attr:`best_loss`.

        Raises:
            RuntimeError: ``track_best`` is ``False``, or no finite loss has been seen.
        """
        best_loss = self.param_groups[0]["best_loss"]
        if not self.param_groups[0]["track_best"]:
            raise RuntimeError("load_best() needs track_best=True, which keeps a copy of the best parameters")
        if not torch.as_tensor(best_loss).isfinite().any():
            raise RuntimeError("load_best() called before any finite loss was given to step()")
        for param, state in self.state.items():
            param.copy_(state["best"])
        self._remember(loss=best_loss)
        return self.best_loss

    def forget_loss(self) -> None:
        """Let the next step measure the parameters as they stand, and propose nothing, because the loss has changed.

        The best loss and the count of proposals stay.
        """
        self._remember(loss=None)

    @torch.no_grad()
    def step(self, closure: Callable[[], float | Tensor] | None = None) -> Tensor:
        """Propose a move and accept or reject it; the first step measures the start instead.

        Args:
            closure (Callable): computes the loss from the parameters and returns it: one number, or losses of shape
                ``(members,)``, always of the same shape. It need not call ``backward()``. If it raises, the parameters
                are put back.

        Returns:
            Tensor: the loss of the parameters as they are after the step, in the shape of the closure's;
            ``math.inf`` where no finite one has been seen.

        Raises:
            ValueError: no closure, or a loss that is none of the above.
        """
        if closure is None:
            raise ValueError("step() got no closure; SimulatedAnnealing needs one that returns the loss")
        first = self.param_groups[0]
        params = [param for group in self.param_groups for param in group["params"]]
        if first["track_best"]:
            for param in params:
                self.state[param].setdefault("best", param.detach().clone())
        measuring = first["loss"] is None
        old = [param.clone() for param in params]
        if not measuring:
            self._propose()
        try:
            with torch.enable_grad():
                loss = closure()
            loss = self._check_loss(loss)
        except BaseException:
            torch._foreach_copy_(params, old)
            raise

        finite = loss.isfinite()
        if measuring:
            accept, loss = torch.ones_like(finite), torch.where(finite, loss, math.inf)
            self._remember(loss=loss)
        else:
            # u < exp(-rise / T) for a uniform u is rise < T · e for an exponential e, without overflow or division.
            temperature = annealing(first["schedule"], first["proposals"], first["temperature"], first["alpha"])
            allowance = temperature * torch.empty_like(loss).exponential_(generator=self.generator)
            accept = finite & (loss - first["loss"] <= allowance)
            for param, before in zip(params, old, strict=True):
                param.copy_(torch.where(_column(accept, param), param, before))
            self._remember(
                loss=torch.where(accept, loss, first["loss"]),
                proposals=first["proposals"] + 1,
                accepted=first["accepted"] + accept.long(),
            )
        self._keep(accept & finite & (loss < first["best_loss"]), loss)
        return first["loss"].clone()

    def _propose(self) -> None:
        for group in self.param_groups:
            for param in group["params"]:
                param.add_(torch.empty_like(param).normal_(0, group["lr"], generator=self.generator))

    def _check_loss(self, loss: float | Tensor) -> Tensor:
        params = [param for group in self.param_groups for param in group["params"]]
        known = self.param_groups[0]["loss"]
        if isinstance(loss, Real):
            loss = torch.tensor(float(loss), dtype=torch.float64)
        if not isinstance(loss, Tensor) or loss.is_complex():
            raise ValueError(f"Invalid loss: {loss!r}; expected one real number, or a tensor of shape (members,)")
        found = f"a {loss.dtype} tensor of shape {tuple(loss.shape)}"
        if loss.dim() > 1 or (loss.dim() and any(param.shape[:1] != loss.shape for param in params)):
            raise ValueError(
                f"Invalid loss: {found}; expected one number, or shape (members,) where every parameter carries the "
                f"members along its first dimension, not {[tuple(param.shape) for param in params]}"
            )
        if known is not None and known.shape != loss.shape:
            raise ValueError(f"Invalid loss: {found}; expected shape {tuple(known.shape)}, as before")
        dtype = loss.dtype if loss.is_floating_point() else torch.float64
        return loss.detach().to(params[0].device, dtype)

    def _keep(self, improved: Tensor, loss: Tensor) -> None:
        first = self.param_groups[0]
        self._remember(best_loss=torch.where(improved, loss, first["best_loss"]))
        if first["track_best"]:
            for param, state in self.state.items():
                state["best"].copy_(torch.where(_column(improved, param), param, state["best"]))

    def _remember(self, **memory: Any) -> None:
        for group in self.param_groups:
            group.update(memory)


def _plain(value):
    return value.item() if isinstance(value, Tensor) and not value.dim() else value


def _column(value: Tensor, param: Tensor) -> Tensor:
    """Give a ``(members,)`` tensor the trailing dimensions that let it broadcast over ``param``."""
    return value.view(-1, *[1] * (param.dim() - 1)) if value.dim() else value
