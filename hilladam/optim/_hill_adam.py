"""Hill-ADAM as a torch optimizer: torch's own Adam, turned round whenever the loss stands still."""

import math
import warnings
from collections.abc import Callable
from numbers import Real
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim.adam import Adam, adam
from torch.optim.optimizer import ParamsT

from hilladam.optim._switching import REASONS, decide

# What the rule remembers between two steps. It lives in every parameter group, as plain immutable numbers, because
# that is what survives state_dict, deepcopy, pickle and distributed checkpoints at full precision. The direction is
# torch's own key "maximize".
_UNDECIDED = {"losses": 0, "previous_loss": math.nan, "best_loss": math.inf, "switches": ()}
_SETTINGS = ("delta", "gamma", "floor", "track_best")
_ONE_FOR_ALL = (*_SETTINGS, "maximize", *_UNDECIDED)
_DIRECTIONS = ("minimize", "maximize")
_FORGOTTEN = {"step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"}  # the last one comes with a checkpoint of AMSGrad


class Switch(NamedTuple):
    """One change of direction."""

    step: int
    """Which loss brought it about, counted from 0 over all losses given to the optimizer."""
    direction: str
    """The direction taken from that step on, ``"minimize"`` or ``"maximize"``."""
    reason: str
    """``"critical"``, ``"dead_end"`` or ``"floor"``; see :func:`hilladam.optim.decide`."""


class HillAdam(Adam):
    r"""Adam that alternates between minimising and maximising, and keeps the best state it has seen.

    .. math::
       \begin{aligned}
         &\textbf{input}: \lambda \text{ (lr)},\ \beta_1, \beta_2 \text{ (betas)},\ \epsilon \text{ (eps)}, \\
         &\quad \delta \text{ (delta)},\ \gamma \text{ (gamma)},\ f(\theta) \text{ (loss)} \\
         &\textbf{initialize}: m_0 \leftarrow 0,\ v_0 \leftarrow 0,\ t \leftarrow 0,\ s \leftarrow -1
           \text{ (descend)}, \\
         &\quad f_{\text{prev}} \leftarrow \text{none},\ f_{\text{best}} \leftarrow \infty \\
         &\textbf{at each step, with } f = f(\theta),\ g = \nabla f(\theta): \\
         &\quad \textbf{if } |f - f_{\text{prev}}| < \delta: \ s \leftarrow -s
           &&\text{(critical; lines 8–11)} \\
         &\quad \textbf{if } f > \gamma: \ s \leftarrow -1
           &&\text{(dead end; lines 13–19)} \\
         &\quad f_{\text{prev}} \leftarrow \text{none if either fired, else } f \\
         &\quad \textbf{if } f < f_{\text{best}}: \ f_{\text{best}} \leftarrow f,\
           \theta_{\text{best}} \leftarrow \theta
           &&\text{(line 38)} \\
         &\quad \textbf{if } s \text{ changed}: \ m \leftarrow 0,\ v \leftarrow 0,\ t \leftarrow 0
           &&\text{(lines 22–24)} \\
         &\quad t \leftarrow t + 1,\ m \leftarrow \beta_1 m + (1 - \beta_1) g,\
           v \leftarrow \beta_2 v + (1 - \beta_2) g^2
           &&\text{(lines 25–28)} \\
         &\quad \theta \leftarrow \theta + s\,\lambda\,
           \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}
           &&\text{(lines 29–35)}
       \end{aligned}

    The lines are those of Algorithm 1 in Manikandan and Gilpin, *Explore the Loss Space with Hill-ADAM* (2025); where
    that text allows several readings this class takes the one that its authors' code takes, with ε outside the root,
    and with the moments cleared only when the direction changes. With ``delta=0``, ``gamma=math.inf`` and
    ``floor=-math.inf`` it is :class:`torch.optim.Adam`, bit for bit.

    The rule needs the loss of the parameters *before* the step, so :meth:`step` takes a closure, or the loss itself::

        loss = loss_fn(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step(loss=loss)

    At the end :meth:`load_best` puts the best parameters back into the model: the last ones may be on a hill.

    Args:
        params (iterable): parameters, named parameters or parameter groups, as for :class:`torch.optim.Adam`.
        lr (float or Tensor): λ ≥ 0. Default: 1e-3.
        betas (tuple[float, float]): (β₁, β₂), each in [0, 1). Default: (0.9, 0.999).
        eps (float): ε ≥ 0, added outside the root. Default: 1e-8.
        weight_decay (float): decay ≥ 0. It decays while climbing as well as while descending. Default: 0.
        delta (float): δ ≥ 0, in units of the loss: a change of the loss smaller than this toggles the direction.
            Default: 1e-4.
        gamma (float): γ, in units of the loss: a loss above this forces descent. The paper gives no value and its
            authors' code has 200; on a loss that grows without bound, an infinite γ lets a climb go on for ever.
            Default: ``math.inf``.
        floor (float): in units of the loss: a loss below this forces ascent. For losses without a lower bound.
            Default: ``-math.inf``.
        track_best (bool): keep a copy of the parameters that gave the lowest loss; one more tensor a parameter.
            Default: ``True``.
        foreach (bool, optional): torch's foreach implementation. Default: ``None``, torch's choice.
        fused (bool, optional): torch's fused implementation. Default: ``None``, which is ``False``.
        decoupled_weight_decay (bool): decay as AdamW does. Default: ``False``.

    ``delta``, ``gamma``, ``floor`` and ``track_best`` decide for the whole model and are the same in every group;
    the others may differ from group to group.

    Raises:
        ValueError: an argument out of its range, in the constructor or in a parameter group.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        delta: float = 1e-4,
        gamma: float = math.inf,
        floor: float = -math.inf,
        track_best: bool = True,
        foreach: bool | None = None,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ):
        super().__init__(
            params, lr, betas, eps, weight_decay,
            foreach=foreach, fused=fused, decoupled_weight_decay=decoupled_weight_decay,
        )  # fmt: skip
        self.defaults.update(delta=delta, gamma=gamma, floor=floor, track_best=track_best, **_UNDECIDED)
        self._complete_groups()
        for group in self.param_groups:
            self._check_group(group)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._complete_groups()  # a checkpoint of plain Adam lacks what Hill-ADAM adds

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a parameter group; it takes up the direction that the optimizer is going in.

        Raises:
            ValueError: an argument out of its range, or one of ``delta``, ``gamma``, ``floor`` and ``track_best``
                that differs from the other groups'.
        """
        if "delta" in self.defaults and isinstance(param_group, dict):  # false while Adam's constructor runs
            for key in _ONE_FOR_ALL:
                param_group.setdefault(key, self.param_groups[0][key])
            self._check_group({**self.defaults, **param_group})
        super().add_param_group(param_group)

    def _complete_groups(self) -> None:
        for group in self.param_groups:
            for key, value in self.defaults.items():
                group.setdefault(key, value)

    def _check_group(self, group: dict[str, Any]) -> None:
        for key, name in (("lr", "learning rate"), ("eps", "epsilon value"), ("weight_decay", "weight_decay value"),
                          ("delta", "delta value")):  # fmt: skip
            if not 0.0 <= group[key] < math.inf:
                raise ValueError(f"Invalid {name}: {group[key]}; expected a finite number >= 0")
        for index, beta in enumerate(group["betas"]):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {index}: {beta}; expected a number in [0, 1)")
        if not group["floor"] < group["gamma"]:
            raise ValueError(f"Invalid gamma value: {group['gamma']}; expected a number above floor = {group['floor']}")
        for key in (*_SETTINGS, "maximize"):
            if group[key] != self.param_groups[0][key]:
                raise ValueError(
                    f"Invalid {key} value: {group[key]} in a parameter group; expected {self.param_groups[0][key]}, "
                    "as in the first group, because the direction is decided for the whole model"
                )

    @property
    def direction(self) -> str:
        """The direction of the last step, ``"minimize"`` (also before any step) or ``"maximize"``."""
        return _DIRECTIONS[self.param_groups[0]["maximize"]]

    @property
    def best_loss(self) -> float:
        """The lowest finite loss given to :meth:`step` so far; ``math.inf`` before any."""
        return self.param_groups[0]["best_loss"]

    @property
    def switches(self) -> list[Switch]:
        """Every change of direction so far, in order."""
        return [Switch(*switch) for switch in self.param_groups[0]["switches"]]

    @torch.no_grad()
    def load_best(self) -> float:
        """Put the parameters that gave :attr:`best_loss` back into the model, exactly.

        Only parameters come back: buffers, such as the running statistics of batch normalisation, are the model's.
        What the optimizer remembers of the place it leaves is cleared: the moments, which may no longer be finite, and
        the previous loss. The direction stays. So training can go on from here, also after a divergence.

        Returns:
            float: :attr:`best_loss`.

        Raises:
            RuntimeError: ``track_best`` is ``False``, or no finite loss has been seen.
        """
        if not self.param_groups[0]["track_best"]:
            raise RuntimeError("load_best() needs track_best=True, which keeps a copy of the best parameters")
        if self.best_loss == math.inf:
            raise RuntimeError("load_best() called before any finite loss was given to step()")
        for param, state in self.state.items():
            if "best" in state:
                param.copy_(state["best"])
        self._forget_gradients()
        for group in self.param_groups:
            group["previous_loss"] = math.nan
        return self.best_loss

    def step(self, closure: Callable[[], Tensor] | None = None, *, loss: float | Tensor | None = None):
        """Judge the loss, then take one step of Adam down or up.

        Args:
            closure (Callable, optional): clears the gradients, computes the loss, calls ``backward()`` on it and
                returns it.
            loss (float or Tensor, optional): the loss whose gradients the parameters hold: a number or a tensor of
                one element. Use this form with a gradient scaler (the loss unscaled), and on several ranks give every
                rank the same, reduced loss. On an accelerator the step waits for its value.

        With neither, the step is one of Adam in the current direction and judges nothing.

        A loss that is not finite turns nothing, never becomes the best one, and raises a warning.

        Returns:
            The loss as it was given, or as the closure returned it; ``None`` with neither.

        Raises:
            ValueError: both a closure and a loss, or a loss that is not one real number.
        """
        if closure is not None:
            if loss is not None:
                raise ValueError("step() got both a closure and a loss; expected one of them")
            with torch.enable_grad():
                loss = closure()
            if loss is None:
                raise ValueError("The closure returned None; expected it to return the loss")
        value = None if loss is None else _one_number(loss)
        with torch.no_grad():
            self._step(value)
        return loss

    def _step(self, loss: float | None) -> None:
        found_inf = getattr(self, "found_inf", None)
        if found_inf is not None and found_inf.item():
            return  # a gradient scaler skips this step; on the fused path it leaves that to the optimizer
        prepared = [self._prepare(group) for group in self.param_groups]
        improved = loss is not None and self._judge(loss)
        if self.param_groups[0]["track_best"]:
            self._keep(improved)
        for group, (has_complex, tensors) in zip(self.param_groups, prepared, strict=True):
            beta1, beta2 = group["betas"]
            adam(
                *tensors,
                foreach=group["foreach"], fused=group["fused"], has_complex=has_complex, amsgrad=group["amsgrad"],
                beta1=beta1, beta2=beta2, lr=group["lr"], weight_decay=group["weight_decay"], eps=group["eps"],
                decoupled_weight_decay=group["decoupled_weight_decay"], maximize=group["maximize"],
                grad_scale=getattr(self, "grad_scale", None), found_inf=getattr(self, "found_inf", None),
            )  # fmt: skip

    def _prepare(self, group: dict[str, Any]) -> tuple[bool, tuple[list[Tensor], ...]]:
        """Collect what torch's functional Adam takes, in its order, creating the state that is missing."""
        tensors = ([], [], [], [], [], [])
        return self._init_group(group, *tensors), tensors

    def _judge(self, loss: float) -> bool:
        """Do lines 8–24 of Algorithm 1 for the loss of the parameters as they are; say whether it is the best yet."""
        first = self.param_groups[0]
        maximize, previous_loss, reason = decide(
            loss, first["maximize"], first["previous_loss"], first["delta"], first["gamma"], first["floor"]
        )
        improved = math.isfinite(loss) and loss < first["best_loss"]
        if not math.isfinite(loss):
            warnings.warn(
                "HillAdam was given a loss that is not finite: it turns nothing and never becomes the best one. "
                "load_best() brings back the parameters of the lowest finite loss.",
                RuntimeWarning,
                stacklevel=5,
            )
        verdict = {"losses": first["losses"] + 1, "previous_loss": previous_loss}
        if improved:
            verdict["best_loss"] = loss
        if reason:
            verdict["maximize"] = maximize
            verdict["switches"] = (*first["switches"], (first["losses"], _DIRECTIONS[maximize], REASONS[reason]))
            self._forget_gradients()
        for group in self.param_groups:
            group.update(verdict)
        return improved

    def _forget_gradients(self) -> None:
        for state in self.state.values():
            for key in _FORGOTTEN & state.keys():
                state[key].zero_()

    def _keep(self, improved: bool) -> None:
        """Copy the parameters if they are the best so far.

        A parameter without a copy has never been moved by this optimizer, so that what it holds now is also what it
        held at the best loss.
        """
        params, copies = [], []
        for param, state in self.state.items():
            if "best" in state:
                if improved:
                    params.append(param)
                    copies.append(state["best"])
            elif state:  # empty where somebody looked before the first gradient
                state["best"] = param.detach().clone()
        if params:
            torch._foreach_copy_(copies, params)


def _one_number(loss: float | Tensor) -> float:
    if isinstance(loss, Tensor) and loss.numel() == 1 and not loss.is_complex():
        return float(loss.item())
    if isinstance(loss, Real):
        return float(loss)
    found = f"a {loss.dtype} tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else repr(loss)
    raise ValueError(f"Invalid loss: {found}; expected one real number")
