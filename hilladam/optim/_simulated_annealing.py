"""Simulated annealing: random moves, accepted by Metropolis's rule at a temperature that falls."""

import math
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar, overload

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from hilladam.optim._best import (
    BestSoFar,
    call,
    capturing,
    check_track_best,
    column,
    described,
    of_members,
    outside_graphs,
    unwrapped,
)
from hilladam.optim._numbers import check, check_count, check_not_negative, number, plain
from hilladam.optim._ranks import agreed, copy_all, whole
from hilladam.optim._seeded import Seeded, check_real

ANNEALING_SCHEDULES = ("geometric", "logarithmic")
"""The names that :func:`annealing` knows."""


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

    Example:
        >>> from hilladam.optim import annealing
        >>> [round(annealing("geometric", k, temperature=2.0, alpha=0.9), 3) for k in range(4)]
        [2.0, 1.8, 1.62, 1.458]
    """
    _check_annealing(schedule, temperature, alpha)
    if not k >= 0:
        raise ValueError(f"Invalid k: {k}; expected a number >= 0")
    return temperature * (alpha**k if schedule == "geometric" else math.log(2) / math.log(k + 2))


def _check_annealing(schedule: str, temperature: float, alpha: float) -> None:
    check("schedule", schedule, ANNEALING_SCHEDULES.__contains__, f"one of {ANNEALING_SCHEDULES}")
    check_not_negative("temperature value", temperature)
    check("alpha value", alpha, lambda v: 0.0 < number(v) <= 1.0, "a number in (0, 1]")


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

    Example:
        >>> import torch
        >>> from hilladam import SimulatedAnnealing
        >>> x = torch.tensor([1.0], dtype=torch.float64)
        >>> generator = torch.Generator().manual_seed(0)
        >>> opt = SimulatedAnnealing([x], lr=0.3, temperature=1.0, alpha=0.99, generator=generator)
        >>> for _ in range(500):
        ...     loss = opt.step(lambda: (x**4 - 2 * x**2 + 0.3 * x).sum())
        >>> print(f"{opt.load_best():.1f} at {x.item():.1f}")
        -1.3 at -1.0

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
            Default: ``None``, torch's global generator. On several ranks give each one of the same seed.
        process_group (ProcessGroup or False, optional): the ranks whose losses are averaged within the step, so that
            all of them decide alike. Default: ``None``, all ranks once ``torch.distributed`` is initialised; then every
            rank has to call :meth:`step`. ``False``: each rank by itself.

    ``temperature``, ``schedule``, ``alpha`` and ``track_best`` decide for all parameters together and are the same in
    every group: a group that does not say follows the first one, and one that says otherwise is refused. Groups are
    copied: the dicts given are not changed, and losses that they hold from another optimizer are dropped. Assigning
    ``opt.state = defaultdict(dict)`` starts afresh. The state dict holds what is remembered, and the place of the
    generator: the optimizer that loads it needs a generator of its own, on a device of the same kind, and goes on bit
    for bit. It does not hold the place of torch's global generator: save ``torch.get_rng_state()``.

    Raises:
        ValueError: an argument out of its range, in the constructor or in a parameter group.
    """

    _MEMORY: ClassVar[dict[str, Any]] = {
        "proposals": 0,
        "accepted": 0,
        "loss": None,
        **BestSoFar._MEMORY,
        **Seeded._MEMORY,
    }
    _ONE_FOR_ALL: ClassVar[tuple[str, ...]] = ("temperature", "schedule", "alpha", "track_best")
    _BECAUSE = "a move of all parameters is accepted or rejected as one"
    _OPTIONAL = frozenset(_ONE_FOR_ALL) | Seeded._OPTIONAL

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
        process_group: Any = None,
    ):
        settings = dict(temperature=temperature, schedule=schedule, alpha=alpha, track_best=track_best)
        super().__init__(params, dict(lr=lr, **settings), generator)
        self._ask(process_group)

    def _check_group(self, group: dict[str, Any]) -> None:
        check_not_negative("learning rate", group["lr"])
        _check_annealing(group["schedule"], group["temperature"], group["alpha"])
        check_track_best(group)

    def _check_param(self, param: Tensor) -> None:
        check_real(param)

    def _check_memory(self, memory: dict[str, Any], params: list[Tensor]) -> None:
        self._check_best(memory, params)
        check_count("proposals", memory["proposals"])
        proposals, accepted, loss = (memory[key] for key in ("proposals", "accepted", "loss"))
        if loss is not None and not (
            isinstance(loss, Tensor)
            and loss.is_floating_point()
            and (not loss.dim() or of_members(loss, params))
            and bool((loss > -math.inf).all())
        ):
            raise ValueError(f"Invalid loss: {loss!r}; expected numbers above -inf, or None")
        counts = isinstance(accepted, Tensor) and accepted.dtype == torch.int64
        if not (((0 <= accepted) & (accepted <= proposals)).all() if proposals and counts else not proposals and
                type(accepted) is int and accepted == 0):  # fmt: skip
            raise ValueError(f"Invalid accepted: {accepted!r}; expected an int64 tensor of 0 to {proposals}")
        shapes = {tuple(v.shape) for v in (accepted, loss, memory["best_loss"]) if isinstance(v, Tensor)}
        if len(shapes) > 1:
            raise ValueError(f"Invalid loss, best_loss and accepted: shapes {sorted(shapes)}; expected one")

    @property
    def acceptance_rate(self) -> float | Tensor:
        """The accepted part of all proposals, NaN before any; for members a tensor of shape ``(members,)``."""
        first = self.param_groups[0]
        return unwrapped(first["accepted"] / first["proposals"]) if first["proposals"] else math.nan

    def _intact(self, known: list[tuple[Tensor, dict[str, Any]]]) -> bool:
        # All parameters move, and the copies are all the state there is: without any, a best loss has none.
        return super()._intact(known) and bool(
            known or not torch.as_tensor(self.param_groups[0]["best_loss"]).isfinite().any()
        )

    def _leave(self) -> None:
        self._remember(loss=self.param_groups[0]["best_loss"])

    def forget_loss(self) -> None:
        """Let the next step measure the parameters as they stand, and propose nothing, because the loss has changed.

        The best loss and the count of proposals stay.
        """
        self._remember(loss=None)

    @overload  # type: ignore[override]
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float | Tensor]) -> Tensor: ...

    def step(self, closure: Callable[[], float | Tensor] | None = None) -> Tensor | None:
        """Propose a move and accept or reject it; the first step measures the start instead.

        Args:
            closure (Callable): computes the loss from the parameters and returns it: one number, or losses of shape
                ``(members,)``, always of the same shape. It need not call ``backward()``. If it raises, the parameters
                are put back. Only a step of length 0 does without: where every λ is 0 nothing is proposed, and what
                checkpoints hold is made, for which checkpoint libraries call it.

        Returns:
            Tensor: the loss of the parameters as they are after the step, in the shape of the closure's;
            ``math.inf`` where no finite one has been seen. ``None`` without a closure.

        Raises:
            TypeError: a closure that cannot be called.
            ValueError: no closure, or a loss that is none of the above.
        """
        if closure is None and any(group["lr"] for group in self.param_groups):
            raise ValueError("step() got no closure; SimulatedAnnealing needs one that returns the loss")
        if closure is not None and not callable(closure):
            raise TypeError(
                f"step() got a {type(closure).__name__} as its closure; expected a function that computes the loss, "
                "with which SimulatedAnnealing measures every proposal"
            )
        with torch.no_grad():
            if not torch.compiler.is_compiling():
                return self._step(closure)
            measured: Tensor | None = outside_graphs(self._step, closure)
            return measured

    def _step(self, closure: Callable[[], float | Tensor] | None) -> Tensor | None:
        if capturing():
            self._check_capture(None)
        first = self.param_groups[0]
        params = [param for group in self.param_groups for param in group["params"]]
        self._before()
        if first["track_best"]:
            for param in params:
                if "best" not in self.state[param]:
                    self.state[param]["best"] = param.detach().clone()
            self._remember(copies=len(params))
        if closure is None:
            return None
        measuring = first["loss"] is None
        old = [param.clone() for param in params]
        if not measuring:
            self._propose()
        try:
            loss = self._check_loss(call(closure))
        except BaseException:
            copy_all(params, old)
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
                param.copy_(torch.where(column(accept, param), param, before))
            self._remember(
                loss=torch.where(accept, loss, first["loss"]),
                proposals=first["proposals"] + 1,
                accepted=first["accepted"] + accept.long(),
            )
        improved = accept & finite & (loss < first["best_loss"])
        self._remember(best_loss=torch.where(improved, loss, first["best_loss"]))
        self._keep(self._known(), improved)
        measured: Tensor = first["loss"].clone()
        return measured

    def _propose(self) -> None:
        for group in self.param_groups:
            for param in group["params"]:
                param.add_(torch.empty_like(param).normal_(0, group["lr"], generator=self.generator))

    def _check_loss(self, loss: float | Tensor) -> Tensor:
        params = [param for group in self.param_groups for param in group["params"]]
        known = self.param_groups[0]["loss"]
        if isinstance(loss, Tensor):
            loss = whole(loss)
        value = plain(loss)
        if isinstance(value, Real):
            loss = torch.tensor(float(value), dtype=torch.float64)
        if not isinstance(loss, Tensor) or loss.is_complex():
            raise ValueError(f"Invalid loss: {loss!r}; expected one real number, or a tensor of shape (members,)")
        if loss.dim() and not of_members(loss, params):
            raise ValueError(
                f"Invalid loss: {described(loss)}; expected one number, or shape (members,) where every parameter "
                f"carries the members along its first dimension, not {[tuple(param.shape) for param in params]}"
            )
        if known is not None and known.shape != loss.shape:
            raise ValueError(f"Invalid loss: {described(loss)}; expected shape {tuple(known.shape)}, as before")
        dtype, device = loss.dtype if loss.is_floating_point() else torch.float64, params[0].device
        return torch.as_tensor(agreed(loss.detach().to(device, dtype), self._process_group, self._device), dtype=dtype)
