"""Over the hill: walk straight over, settle on the other side, and walk on from the lower of the two bottoms."""

import math
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from hilladam.optim._adam_step import adam_step, begin, forget, slopes
from hilladam.optim._best import check_track_best
from hilladam.optim._frame import LARGEST_FRAME, directions, normal_direction, orthogonal_frame
from hilladam.optim._memory import gather
from hilladam.optim._numbers import check, check_betas, check_count, check_flag, check_not_negative, plain
from hilladam.optim._ranks import copy_all
from hilladam.optim._seeded import check_real
from hilladam.optim._settling import Settling
from hilladam.optim._trek import DESCEND, HOME, NEXT, ONWARD, RENEW, RETRY, TREK_REASONS, Trek, guide


class OverTheHill(Settling):
    r"""Over the hill: a way out of local minima in a few variables, without a box, a Hessian or a length scale.

    To climb to a maximum leads astray where there is more than one variable: the lowest way out of a basin is a saddle,
    and ascent misses it. This walks straight over instead.

    .. math::
       \begin{aligned}
         &\textbf{settle}: \text{descend by Adam, } \lambda \text{ from the run, until the loss stands still} \\
         &\textbf{the bottom is lower than the centre } c: \ u \leftarrow (\theta - c) / \|\theta - c\|_\infty,
           \ c \leftarrow \theta \\
         &\textbf{else}: \ u \leftarrow \text{the next of} \pm \text{the columns of a random orthogonal frame},
           \ \theta \leftarrow c \\
         &\textbf{walk}: \ \theta \leftarrow \theta + s\,u, \ s \leftarrow 1.2\,s
           \text{ until it is over a top: settle there; or too high: the next direction}
       \end{aligned}

    :func:`hilladam.optim.guide` is the rule, and says it in words. The best parameters are those of :meth:`load_best`.
    The loss goes to :meth:`step` as for :class:`hilladam.HillAdam`::

        loss = loss_fn(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step(loss=loss)

    Each step costs one loss with its gradient. Directions come from ``seed`` alone. A frame of d variables costs
    d × d numbers and d³ operations, once in 2d walks. Above 256 variables directions are normal and independent. How
    well it does was measured up to 6 variables; tests go to 300, to see that it runs.

    Where losses are noisy, as on mini-batches, take ``kappa=0.5``: then it judges by slopes alone whether a descent
    rises, whether it stands still, and whether a walk is over a top. Let such a run end with :meth:`finish`.

    It needs five tensors a parameter more than Adam. A step that leads to a loss or a gradient that is not finite is
    taken back: a descent makes it again with a quarter of λ, a walk takes the next direction. Without any loss a step
    goes on as before and judges nothing; after 10 such steps and no loss at all there is a warning.

    Example:
        >>> import numpy as np, torch
        >>> from hilladam import OverTheHill
        >>> from hilladam.losses import random_suite_loss
        >>> f = random_suite_loss("Rastrigin", np.random.default_rng(0), 4, rotated=True)
        >>> x = torch.nn.Parameter(torch.full((4,), 3.0, dtype=torch.float64))
        >>> opt = OverTheHill([x])
        >>> for _ in range(3000):
        ...     opt.zero_grad()
        ...     loss = f(x)
        ...     loss.backward()
        ...     loss = opt.step(loss=loss)
        >>> opt.load_best() < 0.1
        True

    Args:
        params (iterable): parameters, named parameters or parameter groups; real, of any shape.
        lr (float): λ ≥ 0, the largest change of an element by the first step. It is a start, not a setting: the rule
            takes it from there. Begin short: on Ackley's loss one of a sixth of the box cost successes. Groups
            may have different ones, and keep their ratio, in walks too. Default: 1e-4.
        betas (tuple[float, float]): (β₁, β₂), each in [0, 1). Default: (0.9, 0.999).
        delta (float): δ ≥ 0, the part of the range of losses of a descent below which a change is none; the rule makes
            it finer where nothing else helps. Default: 3e-3.
        kappa (float): κ ≥ 0, how far a descent must go up, or a walk down, in units of what its slopes can be wrong by,
            before it counts. 0 trusts every slope and every loss; above 0 losses are compared only at bottoms, with the
            lid, and until the first step leads lower. Default: 0, which suits exact losses; 0.5 suits noisy ones.
        seed (int): of the random directions. Default: 0.
        track_best (bool): keep a copy of the parameters that gave the lowest loss; one more tensor a parameter.
            Default: ``True``.
        process_group (ProcessGroup or False, optional): the ranks whose losses are averaged within the step, so that
            all of them decide alike. Default: ``None``, all ranks once ``torch.distributed`` is initialised; then every
            rank has to call :meth:`step`. ``False``: each rank by itself. Parameters must be whole on each rank: it
            does not walk in shards.

    ``delta``, ``kappa``, ``seed`` and ``track_best`` decide for the whole model and are the same in every group. Groups
    are copied, and what they hold of another run is dropped. The state dict holds all that is remembered.

    Raises:
        ValueError: an argument out of its range, in the constructor or in a parameter group.
    """

    _MEMORY: ClassVar[dict[str, Any]] = {**Settling._MEMORY, **Trek()._asdict()}
    _REASONS = TREK_REASONS
    _ONE_FOR_ALL: ClassVar[tuple[str, ...]] = ("delta", "kappa", "seed", "track_best")
    _BECAUSE = "the way is decided for the whole model"
    _OPTIONAL = frozenset(_ONE_FOR_ALL)
    _STATE = (*Settling._STATE, "previous", "gradient", "centre", "way")

    _frame: tuple[tuple[int, int, int], Tensor] | None = None  # the last one drawn, and what it was drawn from

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.999),
        *,
        delta: float = 3e-3,
        kappa: float = 0.0,
        seed: int = 0,
        track_best: bool = True,
        process_group: Any = None,
    ):
        defaults = dict(lr=lr, betas=betas, delta=delta, kappa=kappa, seed=seed, track_best=track_best)
        super().__init__(params, {key: plain(value) for key, value in defaults.items()})
        self._ask(process_group)

    def _check_group(self, group: dict[str, Any]) -> None:
        check_not_negative("learning rate", group["lr"])
        check_betas(group["betas"])
        check_not_negative("delta value", group["delta"])
        check_not_negative("kappa value", group["kappa"])
        check_count("seed", group["seed"])
        check_track_best(group)

    def _check_param(self, param: Tensor) -> None:
        check_real(param)
        if hasattr(param, "full_tensor"):
            raise ValueError("Invalid parameter: a shard; expected whole tensors, because a walk leads through all")

    def _check_memory(self, memory: dict[str, Any], params: list[Tensor]) -> None:
        self._check_turns(memory)
        self._check_settled(memory)
        for key, value in Trek()._asdict().items():
            if isinstance(value, bool):
                check_flag(f"{key} value", memory[key])
            elif isinstance(value, int):
                check(key, memory[key], lambda v: type(v) is int and v >= -1, "an int >= -1")
            else:
                check(key, memory[key], lambda v: isinstance(v, float), "a float")
        for key in ("scale", "stride", "pace", "rate"):
            check(key, memory[key], lambda v: 0.0 <= v < math.inf, "a finite number >= 0")
        self._check_best(memory, params)

    def _leave(self) -> None:
        for param, state in self._known()[0]:
            forget(state)
            for key in ("previous", "centre"):
                state[key].copy_(param)
            for key in ("gradient", "way"):
                state[key].zero_()
        first = self.param_groups[0]
        afresh = Trek(scale=first["rate"], rate=first["rate"], frame=first["frame"])
        self._remember(maximize=False, **afresh._asdict())

    def _move(self, loss: float | None, dtype: torch.dtype | None) -> None:  # type: ignore[override]
        if loss is None:
            self._warn_bare("goes straight on")
        self._go_on()
        known = self._before()
        tensors = gather(self, *self._STATE)
        begin(self.state, known[1], "previous", "centre")
        move, improved = (2 * self.param_groups[0]["maximize"], False) if loss is None else self._judge(loss, tensors)
        self._keep(known, improved)
        if move == ONWARD and not self._look_ahead(tensors):
            move = RENEW
        if move in (NEXT, RENEW):
            self._look_round(tensors)
        self._centre(move)
        for group, (params, grads, averages, squares, _, places, gradients, _, ways) in zip(
            self.param_groups, tensors, strict=True
        ):
            if not params:
                continue
            if move == RETRY:
                copy_all(params, places)
                grads = gradients
            if move in (DESCEND, RETRY):
                copy_all(places, params)
                copy_all(gradients, grads)
                length = -group["scale"] * group["lr"]
                adam_step(self.state, length, group["betas"], params, grads, averages, squares)
            elif move != HOME:
                torch._foreach_add_(params, ways, alpha=group["pace"] * group["lr"])

    def _centre(self, move: int) -> None:
        """Make where the model is its centre, or go back to that: also with parameters that have no gradient now."""
        for param, state in self._known()[0]:
            if move in (ONWARD, RENEW):
                state["centre"].copy_(param)
            elif move in (NEXT, HOME):
                param.copy_(state["centre"])
            if move == HOME:
                state["previous"].copy_(param)
                state["gradient"].zero_()

    def _still(self) -> None:
        """Let no way lead anywhere, not even that of a parameter which has no gradient now."""
        for _, state in self._known()[0]:
            state["way"].zero_()

    def _judge(self, loss: float, tensors: list[tuple[list[Tensor], ...]]) -> tuple[int, bool]:
        """Ask the guide at the parameters as they are; say what they do next, and whether the loss is the best."""
        first = self.param_groups[0]
        losses, walking = first["losses"], first["maximize"]
        dimensions = sum(param.numel() for params, *_ in tensors for param in params)
        if walking:
            slope, bend = self._slope_of_the_way(tensors), 0.0
        else:
            slope, bend, _ = slopes([parts[:7] for parts in tensors])
        advice = guide(
            Trek(*(first[key] for key in Trek._fields)), walking, loss, slope, bend,
            first["delta"], first["kappa"], directions(max(dimensions, 1)), settle=self._settles,
        )  # fmt: skip
        improved: bool = -math.inf < loss < first["best_loss"]
        changed = {"losses": losses + 1, **advice.trek._asdict()}
        if improved:
            changed["best_loss"] = loss
        if advice.walking != walking:
            changed.update(self._turn(losses, advice.walking, advice.reason))
        for _, state in self._known()[0]:
            if advice.reason or advice.move != DESCEND:
                forget(state)
            elif advice.rose:
                state["exp_avg"].zero_()
        self._remember(**changed)
        return advice.move, improved

    def _slope_of_the_way(self, tensors: list[tuple[list[Tensor], ...]]) -> float:
        """The slope of the loss along the walk, for a step of 1."""
        parts = [
            (grad * way).sum() * group["lr"]
            for group, (_, grads, *_, ways) in zip(self.param_groups, tensors, strict=True)
            for grad, way in zip(grads, ways, strict=True)
        ]
        return float(torch.stack([part.to(parts[0].device) for part in parts]).sum()) if parts else 0.0

    def _look_ahead(self, tensors: list[tuple[list[Tensor], ...]]) -> bool:
        """Set the way to lead on from the centre through where the parameters are; say whether there is one."""
        found, longest = [], []
        for group, (params, *_, centres, ways) in zip(self.param_groups, tensors, strict=True):
            for param, centre, way in zip(params, centres, ways, strict=True):
                if way.numel() and group["lr"]:
                    # In steps of λ, which may be too many for 16 bits.
                    wide = (param - centre).to(torch.promote_types(way.dtype, torch.float32)).div_(group["lr"])
                    found.append((way, wide))
                    longest.append(wide.abs().max())
        most = float(torch.stack([size.to(longest[0].device) for size in longest]).max()) if longest else 0.0
        if not 0 < most < math.inf:
            return False
        self._still()
        for way, wide in found:
            way.copy_(wide.div_(most))
        return True

    def _look_round(self, tensors: list[tuple[list[Tensor], ...]]) -> None:
        """Set the way to the next direction of the frame."""
        first = self.param_groups[0]
        ways = [way for *_, ways in tensors for way in ways]
        total, tried = sum(way.numel() for way in ways), max(first["tried"], 0)
        if not total:
            return
        self._still()
        if total <= LARGEST_FRAME:
            key = (first["seed"], first["frame"], total)
            if self._frame is None or self._frame[0] != key:
                self._frame = (key, orthogonal_frame(*key))
            direction = self._frame[1][:, tried // 2 % total]
        else:
            direction = normal_direction(first["seed"], first["frame"], tried // 2, total)
        direction = direction / direction.abs().max() * (1 - 2 * (tried % 2))
        start = 0
        for way in ways:
            way.copy_(direction[start : start + way.numel()].view_as(way))
            start += way.numel()
