"""Hill-ADAM that tunes itself: λ, δ and γ taken from the run."""

import math
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from hilladam.optim._adam_step import adam_step, begin, forget, slopes
from hilladam.optim._best import check_track_best
from hilladam.optim._course import COURSE_REASONS, Course, steer
from hilladam.optim._memory import gather
from hilladam.optim._numbers import check, check_betas, check_count, check_flag, check_not_negative, plain
from hilladam.optim._ranks import copy_all, whole
from hilladam.optim._seeded import check_real
from hilladam.optim._settling import Settling


class AdaptiveHillAdam(Settling):
    r"""Hill-ADAM with λ, δ and γ taken from the run: no learning rate to tune but a short first one, no scale to know.

    .. math::
       \begin{aligned}
         &\textbf{input}: \lambda \text{ (lr)},\ \beta_1, \beta_2 \text{ (betas)},\ \delta \text{ (delta)},\
           \kappa \text{ (kappa)},\ f(\theta) \text{ (loss)} \\
         &\textbf{initialize}: m_0 \leftarrow 0,\ v_0 \leftarrow 0,\ t \leftarrow 0,\ s \leftarrow -1
           \text{ (descend)} \\
         &\textbf{at each step, with } f = f(\theta),\ g = \nabla f(\theta),
           \ \Delta = \theta - \theta_{\text{prev}}: \\
         &\quad D \leftarrow \tfrac12 (g_{\text{prev}} + g) \cdot \Delta,\quad
           q \leftarrow \tfrac12 (g - g_{\text{prev}}) \cdot \Delta \\
         &\quad \lambda, s \leftarrow \text{steer}(f, D, q) \\
         &\quad \textbf{if } f < f_{\text{best}}: \ f_{\text{best}} \leftarrow f,\
           \theta_{\text{best}} \leftarrow \theta \\
         &\quad \textbf{if } s \text{ changed}: \ m \leftarrow 0,\ v \leftarrow 0,\ t \leftarrow 0 \\
         &\quad t \leftarrow t + 1,\ m \leftarrow \beta_1 m + (1 - \beta_1) g,\
           v \leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
         &\quad \theta \leftarrow \theta + s\,\lambda\,
           \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)}}
       \end{aligned}

    :func:`hilladam.optim.steer` is the rule, and says it in words: λ grows while the run surely gets on, and is halved
    where a descent goes back, or over a bottom whose two sides cancel; a climb ends as soon as it is over a top, where
    it stands still, or at a lid, every other round two heights of hills above the lowest bottom and the more seldom
    the higher; what standing still is depends on the range of losses of this leg. Whether a leg gets on is judged by
    slopes along the steps just made, whose noise shrinks with the step, and not by differences of losses, whose noise
    does not; losses serve for the range of a leg, the lid, a new bottom, the first step and the best place.

    Multiplying the loss by a power of two, or the parameters and ``lr`` by one, changes no bit of the run but the
    exponents. The loss goes to :meth:`step` as for :class:`hilladam.HillAdam`::

        loss = loss_fn(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step(loss=loss)

    It is for small, rugged losses; a kink, as that of :math:`|x|`, does not make it run off. Do not train a network
    with it on mini-batches: on one that reads digits it stayed far above Adam with each of 20 seeds. With all digits in
    every step, and a tenth of the steps left to :meth:`finish`, no difference from Adam, at its λ for mini-batches, was
    seen over 20 seeds, but no climb had a part in that.

    At the end :meth:`load_best` puts the best parameters back into the model: the last ones may be on a hill. Where the
    losses are noisy, as on mini-batches, the lowest one is also the luckiest one, somewhere in the right valley:
    :meth:`finish` goes on from there to its bottom, where the noise lets it: on mini-batches λ can grow too long.

    It needs three tensors a parameter more than Adam: the place before the last step, the gradient there, and the mean
    of :meth:`finish`. A step that leads to a loss or a gradient that is not finite is taken back and made again with a
    quarter of λ, and so is a first step that does not lead lower. Without any loss a step goes on as before and judges
    nothing; after 10 such steps and no loss at all there is a warning.

    Example:
        With a small ``lr`` Adam stays in the well it falls into, at x = 0.96; this finds the deeper one from each of
        three.

        >>> import torch
        >>> from hilladam import AdaptiveHillAdam
        >>> for lr in (1e-8, 1e-3, 100.0):
        ...     x = torch.nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
        ...     opt = AdaptiveHillAdam([x], lr=lr)
        ...     for _ in range(300):
        ...         opt.zero_grad()
        ...         loss = (x**4 - 2 * x**2 + 0.3 * x).sum()
        ...         loss.backward()
        ...         loss = opt.step(loss=loss)
        ...     print(f"{opt.load_best():.1f} at {x.item():.1f}")
        -1.3 at -1.0
        -1.3 at -1.0
        -1.3 at -1.0

    Args:
        params (iterable): parameters, named parameters or parameter groups; real, of any shape.
        lr (float): λ ≥ 0, the largest change of an element by the first step. It is a start, not a setting: the rule
            takes it from there. Begin short: in fits of a sine wave to mini-batches 1 and 10 cost successes. Groups may
            have different ones, and keep their ratio. Default: 1e-4.
        betas (tuple[float, float]): (β₁, β₂), each in [0, 1). Default: (0.9, 0.999).
        delta (float): δ ≥ 0, the part of the range of losses of a leg below which a change is none. Default: 1e-3.
        kappa (float): κ ≥ 0, how much a leg must go back, in units of what its slopes can be wrong by, before it
            counts. 0 trusts every slope. Default: 0.5, which suits exact and noisy gradients.
        track_best (bool): keep a copy of the parameters that gave the lowest loss; one more tensor a parameter.
            Default: ``True``.
        process_group (ProcessGroup or False, optional): the ranks whose losses are averaged within the step, so that
            all of them decide alike. Default: ``None``, all ranks once ``torch.distributed`` is initialised; then every
            rank has to call :meth:`step`. ``False``: each rank by itself. Slopes are not shared: each rank has to hold
            all parameters, whole or as shards of FSDP2; ZeroRedundancyOptimizer and FSDP1 do not.

    ``delta``, ``kappa`` and ``track_best`` decide for the whole model and are the same in every group. Groups are
    copied, and what they hold of another run is dropped. The state dict holds all that is remembered.

    Raises:
        ValueError: an argument out of its range, in the constructor or in a parameter group.
    """

    _MEMORY: ClassVar[dict[str, Any]] = {**Settling._MEMORY, **Course()._asdict()}
    _REASONS = COURSE_REASONS
    _ONE_FOR_ALL: ClassVar[tuple[str, ...]] = ("delta", "kappa", "track_best")
    _BECAUSE = "the direction is decided for the whole model"
    _OPTIONAL = frozenset(_ONE_FOR_ALL)
    _STATE = (*Settling._STATE, "previous", "gradient")

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.999),
        *,
        delta: float = 1e-3,
        kappa: float = 0.5,
        track_best: bool = True,
        process_group: Any = None,
    ):
        defaults = dict(lr=lr, betas=betas, delta=delta, kappa=kappa, track_best=track_best)
        super().__init__(params, {key: plain(value) for key, value in defaults.items()})
        self._ask(process_group)

    def _check_group(self, group: dict[str, Any]) -> None:
        check_not_negative("learning rate", group["lr"])
        check_betas(group["betas"])
        check_not_negative("delta value", group["delta"])
        check_not_negative("kappa value", group["kappa"])
        check_track_best(group)

    def _check_param(self, param: Tensor) -> None:
        check_real(param)

    def _check_memory(self, memory: dict[str, Any], params: list[Tensor]) -> None:
        self._check_turns(memory)
        self._check_settled(memory)
        for key, value in Course()._asdict().items():
            if isinstance(value, bool):
                check_flag(f"{key} value", memory[key])
            elif isinstance(value, int):
                check_count(key, memory[key])
            else:
                check(key, memory[key], lambda v: isinstance(v, float), "a float")
        check("scale", memory["scale"], lambda v: 0.0 <= v < math.inf, "a finite number >= 0")
        check("growth", memory["growth"], lambda v: 1.0 <= v <= 2.0, "a number in [1, 2]")
        self._check_best(memory, params)

    def _leave(self) -> None:
        for param, state in self._known()[0]:
            forget(state)
            state["previous"].copy_(param)
            state["gradient"].zero_()
        first = self.param_groups[0]
        self._remember(maximize=False, **Course(scale=first["scale"])._asdict())

    def _move(self, loss: float | None, dtype: torch.dtype | None) -> None:  # type: ignore[override]
        if loss is None:
            self._warn_bare("goes straight on")
        self._go_on()
        known = self._before()
        tensors = gather(self, *self._STATE)
        begin(self.state, known[1], "previous")
        again, improved = (False, False) if loss is None else self._judge(loss, tensors)
        self._keep(known, improved)
        for group, (params, grads, averages, squares, _, places, gradients) in zip(
            self.param_groups, tensors, strict=True
        ):
            if not params:
                continue
            if again:
                copy_all(params, places)
                grads = gradients
            else:
                copy_all(places, params)
                copy_all(gradients, grads)
            sign = 1 if group["maximize"] else -1
            adam_step(self.state, sign * group["scale"] * group["lr"], group["betas"], params, grads, averages, squares)

    def _at_rest(self, tensors: list[tuple[list[Tensor], ...]]) -> bool:
        """Whether the last step could not move anything, whatever its λ: no rate, no gradient, or none but zeros."""
        return not any(
            group["lr"] and any(float(whole(square.sum())) for square in squares)
            for group, (_, _, _, squares, *_) in zip(self.param_groups, tensors, strict=True)
        )

    def _judge(self, loss: float, tensors: list[tuple[list[Tensor], ...]]) -> tuple[bool, bool]:
        """Steer by the loss of the parameters as they are; say whether to go back, and whether it is best."""
        first = self.param_groups[0]
        losses, maximize = first["losses"], first["maximize"]
        slope, bend, dimensions = slopes(tensors)
        course = Course(*(first[key] for key in Course._fields))
        verdict = steer(
            course, maximize, loss, slope, bend,
            delta=first["delta"], kappa=first["kappa"], dimensions=max(dimensions, 1), settle=self._settles,
        )  # fmt: skip
        if not (slope or bend or verdict.again) and self._at_rest(tensors):
            verdict = verdict._replace(course=verdict.course._replace(scale=course.scale))
        improved: bool = -math.inf < loss < first["best_loss"]
        changed = {"losses": losses + 1, **verdict.course._asdict()}
        if improved:
            changed["best_loss"] = loss
        if verdict.reason:
            changed.update(self._turn(losses, verdict.maximize, verdict.reason))
        for _, state in self._known()[0]:
            if verdict.reason or verdict.again:
                forget(state)
            elif verdict.rose:
                state["exp_avg"].zero_()
        self._remember(**changed)
        return verdict.again, improved
