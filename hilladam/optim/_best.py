"""The best so far: the lowest loss that an optimizer was given, and the parameters that gave it."""

import copy
import math
import operator
import warnings
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar, TypeVar, overload

import torch
from torch import Tensor

from hilladam.optim._memory import Remembering
from hilladam.optim._numbers import check, check_count, check_flag, element, number, plain
from hilladam.optim._ranks import agreed, check_process_group, copy_all, local, whole

T = TypeVar("T")
Known = tuple[list[tuple[Tensor, dict[str, Any]]], list[Tensor]]


class BestSoFar(Remembering):
    """An optimizer that keeps a copy of the parameters with the lowest loss it was given, as ``"best"`` in the state.

    A parameter that has no state yet has never been moved, so that what it holds is also what it held at the best loss;
    it is copied just before it is moved. ``copies`` in the memory counts the copies there must be.
    """

    _MEMORY: ClassVar[dict[str, Any]] = {"best_loss": math.inf, "copies": 0}
    _ONE_FOR_ALL: ClassVar[tuple[str, ...]] = ("track_best",)
    _BECAUSE = "the best loss is that of all parameters together"

    _process_group: Any = None
    _handed: Any = None

    def _ask(self, process_group: Any) -> None:
        """Let the loss be the mean over such a group of ranks."""
        check_process_group(process_group)
        self._process_group = process_group

    def __deepcopy__(self, memo: dict[int, Any]) -> "BestSoFar":
        twin = memo[id(self)] = type(self).__new__(type(self))
        twin.__setstate__(copy.deepcopy(self.__getstate__(), memo))
        twin._process_group = self._process_group  # which the copy, in this process, can ask too
        return twin

    def __getstate__(self) -> dict[str, Any]:
        kept = False if self._process_group is False else None  # a group of ranks belongs to its process
        return {**super().__getstate__(), "_process_group": kept}

    @property
    def best_loss(self) -> float | Tensor:
        """The lowest finite loss given to :meth:`step` so far, ``math.inf`` before any; with ``track_best="turn"`` of
        Hill-ADAM, the lowest at which a descent turned up.

        For losses of shape ``(members,)`` a tensor of that shape.
        """
        best_loss: float | Tensor = unwrapped(self._first()["best_loss"])
        return best_loss

    @overload
    def step(self, closure: None = None, *, loss: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], T], *, loss: None = None) -> T: ...

    @overload
    def step(self, closure: None = None, *, loss: T) -> T: ...

    def step(self, closure: Callable[[], Any] | None = None, *, loss: Any = None) -> Any:
        """Note the loss, then take one step. Parameters without a gradient are left as they are.

        Args:
            closure (Callable, optional): clears the gradients, computes the loss, calls ``backward()`` on it and
                returns it, or a tuple that begins with it.
            loss (float or Tensor, optional): the loss whose gradients the parameters hold: one number; or, but for
                Hill-ADAM, where every parameter carries members along its first dimension, their losses, of shape
                ``(members,)``. Then each member has a best loss of its own. On an accelerator the step waits for one
                number, but for Hill-ADAM's, and not for many. Beside a closure it counts in place of what that returns.

        The step itself needs no loss. Where none is given by its name, it takes the loss of :meth:`hand_over`, if there
        is one, else what the closure returned; without any the best loss stays.

        Returns:
            What the closure returned, or the loss as it was given; ``None`` with neither.

        Raises:
            RuntimeError: a sparse gradient, or a CUDA graph that cannot capture the step.
            TypeError: a closure that cannot be called, as in ``step(loss)`` for ``step(loss=loss)``.
            ValueError: a loss that is none of the above, or a setting that is a function of the step and gave a value
                out of its range.
        """
        returned = loss if closure is None else call(closure)
        first = returned[0] if isinstance(returned, tuple) and returned else returned
        if torch.compiler.is_compiling():
            outside_graphs(self._take, loss, first)
        else:
            self._take(loss, first)
        return returned

    def hand_over(self, loss: Any) -> None:
        """Hand over the loss for the next step, where a wrapper's ``step`` takes none, or has a closure of its own.

        It counts in place of what a closure returns: where gradients are gathered from several parts, that is the loss
        of the last one. A step that is given a loss by its name drops it. Called on a wrapper that stands for the
        optimizer, as those of Lightning do, it reaches the optimizer.

        Args:
            loss (float or Tensor): as for :meth:`step`. Where the step is left out, as a gradient scaler may, the next
                loss replaces it.

        Example:
            >>> import torch
            >>> from hilladam import HillAdam
            >>> x = torch.nn.Parameter(torch.ones(1))
            >>> opt = HillAdam([x])
            >>> loss = (x**2).sum()
            >>> loss.backward()
            >>> opt.hand_over(loss)
            >>> opt.step()
            >>> opt.best_loss
            1.0
        """
        kept = loss.detach() if isinstance(loss, Tensor) else loss
        inner = getattr(self, "optimizer", self)  # a wrapper of Lightning's is an instance of what it wraps
        if torch.compiler.is_compiling():  # which would not write an attribute of an optimizer
            outside_graphs(setattr, inner, "_handed", kept)
        else:
            inner._handed = kept

    def _take(self, loss: Any, returned: Any) -> None:
        handed = self._handed
        given = loss if loss is not None else returned if handed is None else handed
        if capturing():
            self._check_capture(given)
        if handed is not None:
            self._handed = None
        value = None if given is None else self._value(whole(given))
        value = agreed(value, self._process_group, self._device)
        if isinstance(value, float) and not math.isfinite(value):
            warn_not_finite(self)
        with torch.set_grad_enabled(False):
            self._move(value, getattr(given, "dtype", None))

    def _check_capture(self, loss: Any) -> None:
        """Raise where a step cannot be captured in a graph, before anything has changed."""
        raise RuntimeError(
            f"{type(self).__name__} decides on the host, so that its step cannot be captured in a CUDA graph; "
            "HillAdam(capturable=True) decides on the device"
        )

    def _move(self, loss: float | Tensor | None, dtype: torch.dtype | None) -> None:
        """Take the step, and note the loss, which was given as a tensor of ``dtype``, before anything moves."""
        raise NotImplementedError

    @torch.no_grad()
    def load_best(self) -> float | Tensor:
        """Put the parameters that gave :attr:`best_loss` back into the model, exactly.

        Only parameters come back: buffers, such as the running statistics of batch normalisation, are the model's.
        What the optimizer remembers of the place it leaves is cleared, so that training can go on from here, also after
        a divergence.

        Returns:
            :attr:`best_loss`.

        Raises:
            RuntimeError: ``track_best`` is ``False``, no finite loss has been seen (with ``"turn"``, no descent has
                turned up), or the copies are not those of the
                best loss: the state or a parameter group was taken away, or a checkpoint came without them.
        """
        if not self.param_groups or not self.param_groups[0]["track_best"]:
            raise RuntimeError("load_best() needs track_best=True, which keeps a copy of the best parameters")
        if not torch.as_tensor(self.best_loss).isfinite().any():
            awaited = "a descent turned up" if self.param_groups[0]["track_best"] == "turn" else "any finite loss"
            raise RuntimeError(f"load_best() called before {awaited} was given to step()")
        known, _ = self._known()
        if not self._intact(known) or any(state["best"].shape != param.shape for param, state in known):
            raise RuntimeError(
                f"load_best() cannot bring back the parameters that gave {self.best_loss}: their copies are not those "
                "that were made. Was state, a parameter or a parameter group taken away, or loaded without them?"
            )
        for param, state in known:
            param.copy_(state["best"])
        self._leave()
        return self.best_loss

    def _leave(self) -> None:
        """Forget what belongs to the place that the parameters have left."""
        raise NotImplementedError

    def _known(self) -> Known:
        """The parameters that have state, with it, and those that have none."""
        known, unknown = [], []
        for group in self.param_groups:
            for param in group["params"]:
                state = self.state.get(param)
                if state:
                    known.append((param, state))
                else:
                    unknown.append(param)
        return known, unknown

    def _intact(self, known: list[tuple[Tensor, dict[str, Any]]]) -> bool:
        copies: int = self.param_groups[0]["copies"]
        return copies == len(known) == sum(["best" in state for _, state in known])

    def _before(self) -> Known:
        """What has state before a step makes more; where copies are missing or of another time, let all of them go."""
        first, states = self.param_groups[0], self.state
        if first["track_best"] and first["copies"] == len(states):  # as a rule; this spares a look-up for each
            params = [param for group in self.param_groups for param in group["params"]]
            if len(params) == len(states) and all(map(operator.is_, params, states)):
                known = list(states.items())
                if all(["best" in state for _, state in known]):
                    return known, []
        known, unknown = self._known()
        if self._intact(known) if first["track_best"] else not first["copies"]:
            return known, unknown
        for _, state in known:
            state.pop("best", None)
        self._remember(copies=0)
        if first["track_best"] and torch.as_tensor(self.best_loss).isfinite().any():
            warnings.warn(
                f"The copies of the parameters that gave {self.best_loss} are gone: state, a parameter or a parameter "
                "group was taken away, or loaded without them. The best loss is counted anew.",
                RuntimeWarning,
                stacklevel=6,
            )
            self._remember(best_loss=math.inf)
        return known, unknown

    def _keep(self, before: Known, improved: bool | Tensor) -> None:
        """Copy the parameters that have state, those of the members that improved; and those that have it only now."""
        first = self.param_groups[0]
        if not first["track_best"]:
            return
        known, unknown = before
        uncopied = len(known) != first["copies"]  # then none of them has a copy
        if uncopied:
            unknown = [*unknown, *(param for param, _ in known)]
        elif isinstance(improved, Tensor):
            for param, state in known:
                copy_where(improved, param, state["best"])
        elif improved and known:
            copy_all([state["best"] for _, state in known], [param for param, _ in known])
        made = 0
        for param in unknown:
            found = self.state.get(param)
            if found:
                found["best"] = param.detach().clone()
                made += 1
        if made:
            self._remember(copies=first["copies"] + made)

    def _value(self, loss: Any) -> float | Tensor:
        """A loss as one number, or the losses of members."""
        best, params = self.param_groups[0]["best_loss"], [p for group in self.param_groups for p in group["params"]]
        if isinstance(loss, Tensor) and loss.dim() == 1 and loss.numel() > 1 and not loss.is_complex():
            if not of_members(loss, params):
                raise ValueError(
                    f"Invalid loss: {described(loss)}; expected one number, or shape (members,) where every parameter "
                    f"carries the members along its first dimension, not {[tuple(param.shape) for param in params]}"
                )
            value: float | Tensor = loss.detach().to(params[0].device)
        else:
            value = one_number(loss)
        found, known = (x.shape if isinstance(x, Tensor) else () for x in (value, best))
        if found != known and not (isinstance(best, float) and best == math.inf):
            raise ValueError(f"Invalid loss: {described(loss)}; expected shape {tuple(known)}, as before")
        return value

    def _improves(self, value: float | Tensor) -> bool | Tensor:
        """Whether a loss is the best so far, which is remembered."""
        best = self.param_groups[0]["best_loss"]
        if isinstance(value, Tensor):
            improved: Tensor = value.isfinite() & (value < best)
            self._remember(best_loss=torch.where(improved, value, best))
            return improved
        if math.isfinite(value) and value < best:
            self._remember(best_loss=value)
            return True
        return False

    def _check_best(self, memory: dict[str, Any], params: list[Tensor]) -> None:
        check_count("copies", memory["copies"])
        best = memory["best_loss"]
        if not isinstance(best, Tensor) or not best.dim():
            check("best_loss", best, lambda v: number(element(v)) > -math.inf, "a number above -inf")
        elif best.is_complex() or best.dim() > 1 or not (best > -math.inf).all() or not of_members(best, params):
            raise ValueError(f"Invalid best_loss: {best!r}; expected a number above -inf for each member")


def _called(function: Callable[..., T], *args: Any) -> T:
    return function(*args)


def capturing() -> bool:
    """Whether what is called now is captured in a CUDA graph, and not carried out."""
    initialized: bool = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return initialized and torch.cuda.is_current_stream_capturing()


outside_graphs: Callable[..., Any] = torch._disable_dynamo(_called)  # type: ignore[attr-defined]
"""Calls a function outside the graph that is being compiled: which way a step goes is known when it is taken."""


def warn_not_finite(optimizer: BestSoFar) -> None:
    warnings.warn(
        f"{type(optimizer).__name__} was given a loss that is not finite: it decides nothing and never becomes the "
        "best one. load_best() brings back the parameters of the lowest finite loss.",
        RuntimeWarning,
        stacklevel=5,
    )


def check_track_best(group: dict[str, Any]) -> None:
    check_flag("track_best value", group["track_best"])


def check_track_turns(group: dict[str, Any]) -> None:
    """As that, for an optimizer that can keep the best of its turns."""
    expected = "True or False, or 'turn'"
    check("track_best value", group["track_best"], lambda v: isinstance(v, bool) or v == "turn", expected)


def call(closure: Callable[[], Any]) -> Any:
    """What a closure returns, gradients enabled."""
    if not callable(closure):
        raise TypeError(
            f"step() takes a closure, a function that computes the loss and returns it, and got a "
            f"{type(closure).__name__}; hand over a loss by its name, step(loss=...)"
        )
    with torch.enable_grad():
        return closure()


def one_number(loss: Any) -> float:
    """The value of a loss that is one real number."""
    if type(loss) is float:
        return loss
    if isinstance(loss, Tensor) and loss.numel() == 1 and not loss.is_complex():
        return float(loss.item())
    value = plain(loss)
    if isinstance(value, Real):
        return float(value)
    raise ValueError(f"Invalid loss: {described(loss)}; expected one real number")


def copy_where(flag: Tensor, value: Tensor, into: Tensor) -> None:
    """Copy a tensor, or its members, where a flag on the device says so."""
    value, into = local(value), local(into)
    torch.where(column(flag.to(into.device, non_blocking=True), value), value, into, out=into)


def described(loss: Any) -> str:
    return f"a {loss.dtype} tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else repr(loss)


def of_members(losses: Tensor, params: list[Tensor]) -> bool:
    """Whether losses of shape ``(members,)`` can be those of parameters that carry members in front."""
    return losses.dim() == 1 and all(param.shape[:1] == losses.shape for param in params)


def column(value: Tensor, param: Tensor) -> Tensor:
    """Give a ``(members,)`` tensor the trailing dimensions that let it broadcast over ``param``."""
    return value.view(-1, *[1] * (param.dim() - 1)) if value.dim() else value


def unwrapped(value: Any) -> Any:
    """The number in a tensor without dimensions."""
    return value.item() if isinstance(value, Tensor) and not value.dim() else value
