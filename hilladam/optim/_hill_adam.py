"""Hill-ADAM as a torch optimizer: torch's own Adam, turned round whenever the loss stands still."""

import math
from itertools import islice
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.optim.adam import Adam
from torch.optim.optimizer import ParamsT

from hilladam.optim._best import Known, check_track_turns
from hilladam.optim._ledger import Ledger, clear_where
from hilladam.optim._numbers import check, check_betas, check_flag, check_not_negative, element, number, plain
from hilladam.optim._on_device import OnDevice
from hilladam.optim._ranks import anywhere, local, shard_like
from hilladam.optim._switching import REASONS, decide
from hilladam.optim._torch_adam import Prepared, torch_adam
from hilladam.optim._turning import Turning

_FORGOTTEN = {"step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"}  # the last one comes with a checkpoint of AMSGrad


class HillAdam(OnDevice, Adam):
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
    and with the moments cleared only when the direction changes. With ``delta=0`` and ``floor=-math.inf`` it is
    :class:`torch.optim.Adam`, bit for bit.

    The rule needs the loss of the parameters *before* the step, so :meth:`step` takes a closure, or the loss itself::

        loss = loss_fn(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step(loss=loss)

    At the end :meth:`load_best` puts the best parameters back into the model: the last ones may be on a hill.

    The loss is one real number. With a gradient scaler hand over the loss unscaled, by its name. On several ranks each
    hands over its own loss, and their mean decides for all. Without any loss a step is Adam's in the current direction
    and judges nothing; after 10 such steps and no loss at all there is a warning. A loss that is not finite turns
    nothing, never becomes the best one, and raises a warning. The first turn at a loss whose type is too coarse to tell
    a change of ``delta``, say bfloat16, raises one too. Under ``torch.compile`` the step runs as it is, outside the
    graph.

    *On the device.* Where the loss is a tensor on an accelerator, and the parameters are there and at most 2²⁶ numbers,
    no step waits for it: direction, best loss and turns are tensors beside the parameters, and the decision has no
    branch. With more parameters waiting is shorter than moving the memory that a decision without a branch moves.
    ``capturable=True`` decides so at every size, on a CPU too, and lets a CUDA graph capture the step: take one step
    with a loss first, hand over the loss as a tensor that is filled anew before each replay, and ``lr`` as a tensor
    where a schedule changes it. Its turns are those of the host, at the same losses. What was decided is read when
    somebody asks: :attr:`direction`, :attr:`best_loss`, :attr:`switches`, ``state_dict()`` and a copy wait, and the two
    warnings come then; ``param_groups`` says until then what it said before. Checkpoints are the same in both forms,
    and what is loaded leaves ``capturable`` as it is.

    Example:
        Adam stays in the well it falls into, at x = 0.96; Hill-ADAM climbs out of it and finds the deeper one.

        >>> import torch
        >>> from hilladam import HillAdam
        >>> x = torch.nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
        >>> opt = HillAdam([x], lr=0.2, delta=1e-2)
        >>> for _ in range(300):
        ...     opt.zero_grad()
        ...     loss = (x**4 - 2 * x**2 + 0.3 * x).sum()
        ...     loss.backward()
        ...     loss = opt.step(loss=loss)
        >>> print(f"{opt.load_best():.1f} at {x.item():.1f}")
        -1.3 at -1.0

    Args:
        params (iterable): parameters, named parameters or parameter groups, as for :class:`torch.optim.Adam`.
        lr (float or Tensor): λ ≥ 0. Default: 1e-3.
        betas (tuple[float, float]): (β₁, β₂), each in [0, 1). Default: (0.9, 0.999).
        eps (float): ε ≥ 0, added outside the root. Default: 1e-8.
        weight_decay (float): decay ≥ 0. It decays while climbing as well as while descending. Default: 0.
        delta (float): δ ≥ 0, in units of the loss: a change of the loss smaller than this toggles the direction.
            Default: 1e-4.
        gamma (float): γ, in units of the loss: a loss above this forces descent, so that a climb ends also where the
            loss has no upper bound. It must lie above the hills to be crossed, so it goes with the scale of the loss: a
            loss that is summed, not averaged, needs a larger one. A run that starts above γ behaves as Adam until it is
            below. ``math.inf`` lets climbs go on for ever. Default: 200, the value in the authors' code; the paper
            gives none.
        floor (float): in units of the loss: a loss below this forces ascent. For losses without a lower bound.
            Default: ``-math.inf``.
        track_best (bool or ``"turn"``): keep a copy of the parameters that gave the lowest loss; one more tensor a
            parameter. ``True``, the default, is exact at every step. ``"turn"`` keeps the lowest loss at which a
            descent turned up, the least of the minima as the paper has it: copies cost nothing between turns on the
            host, :attr:`best_loss` is ``math.inf`` and :meth:`load_best` raises before the first such turn, and a
            descent that the run breaks off does not count. With ``False`` :attr:`best_loss` is the lowest one, and
            there is no copy.
        foreach (bool, optional): torch's foreach implementation. Default: ``None``, torch's choice.
        fused (bool, optional): torch's fused implementation. Default: ``None``, which is ``False``.
        capturable (bool): decide on the device, see above. Default: ``False``, which leaves it to the loss.
        decoupled_weight_decay (bool): decay as AdamW does. Default: ``False``.
        process_group (ProcessGroup or False, optional): the ranks whose losses are averaged within the step, so that
            all of them decide alike. Default: ``None``, all ranks once ``torch.distributed`` is initialised; then every
            rank has to call :meth:`step`. ``False``: each rank by itself.

    ``delta``, ``gamma``, ``floor``, ``track_best`` and ``capturable`` decide for the whole model and are the same in
    every group: a group that does not say follows the first one, and one that says otherwise is refused. The others may
    differ from group to group. Groups are copied: the dicts given are not changed, and a direction or a best loss that
    they hold from another optimizer is dropped. Assigning ``opt.state = defaultdict(dict)`` starts afresh.

    The state dict holds all that is remembered, and a state dict of :class:`torch.optim.Adam` or
    :class:`torch.optim.AdamW` loads too: what Hill-ADAM adds stays as the constructor was told, and nothing is
    remembered but the moments and the direction.

    Raises:
        ValueError: an argument out of its range, in the constructor or in a parameter group.
    """

    _MEMORY: ClassVar[dict[str, Any]] = {
        **Turning._MEMORY,
        "previous_loss": math.nan,
    }
    _REASONS = REASONS
    _ONE_FOR_ALL: ClassVar[tuple[str, ...]] = ("delta", "gamma", "floor", "track_best", "capturable")
    _BECAUSE = "the direction is decided for the whole model"
    _OPTIONAL = frozenset((*_ONE_FOR_ALL, "amsgrad", "foreach", "fused", "differentiable", "decoupled_weight_decay"))

    _added: dict[str, Any] = {}  # noqa: RUF012

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        delta: float = 1e-4,
        gamma: float = 200.0,
        floor: float = -math.inf,
        track_best: bool | Literal["turn"] = True,
        foreach: bool | None = None,
        fused: bool | None = None,
        capturable: bool = False,
        decoupled_weight_decay: bool = False,
        process_group: Any = None,
    ):
        # Adam's constructor makes the defaults itself, and adds the groups at once.
        self._added = {
            "delta": plain(delta), "gamma": plain(gamma), "floor": plain(floor), "track_best": plain(track_best),
        }  # fmt: skip
        super().__init__(
            params, plain(lr), plain(betas), plain(eps), plain(weight_decay),
            foreach=foreach, fused=fused, capturable=capturable, decoupled_weight_decay=decoupled_weight_decay,
        )  # fmt: skip
        self._ask(process_group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a parameter group; it takes up the direction that the optimizer is going in. The dict is copied.

        Raises:
            ValueError: an argument out of its range, or one of ``delta``, ``gamma``, ``floor``, ``track_best`` and
                ``capturable`` that differs from the other groups'.
        """
        self.defaults.update({key: value for key, value in self._added.items() if key not in self.defaults})
        if isinstance(param_group, dict) and param_group.get("maximize") and "losses" not in param_group:
            raise ValueError(
                f"Invalid maximize value: {param_group['maximize']} in a parameter group; expected False, because "
                "Hill-ADAM decides the direction itself. To maximise f, minimise -f"
            )
        super().add_param_group(param_group)

    def _check_group(self, group: dict[str, Any]) -> None:
        for key, name in (("lr", "learning rate"), ("eps", "epsilon value"), ("weight_decay", "weight_decay value"),
                          ("delta", "delta value")):  # fmt: skip
            check_not_negative(name, element(group[key]) if key == "lr" else group[key])
        check_betas(group["betas"])
        if not number(group["floor"]) < number(group["gamma"]):
            raise ValueError(
                f"Invalid gamma value: {group['gamma']!r}; expected a number above floor = {group['floor']!r}"
            )
        check_track_turns(group)
        for key in ("amsgrad", "capturable", "differentiable", "decoupled_weight_decay"):
            check_flag(f"{key} value", group[key])
        for key in ("foreach", "fused"):
            check(f"{key} value", group[key], lambda v: v is None or isinstance(v, bool), "True, False or None")

    def _completed(self, index: int, saved: dict[str, Any]) -> dict[str, Any]:
        if not (self._MEMORY.keys() - {"maximize"}) & saved.keys():  # it is plain Adam's
            saved = {**self._nothing(), **saved}
        saved = {**saved, "capturable": self.param_groups[index]["capturable"]}  # where it runs, not how
        group = super()._completed(index, saved)
        if group["fused"] is True and group["foreach"] is True:
            raise ValueError("Invalid fused value: True; expected False or None where foreach is True")
        if group["foreach"] is True and isinstance(group["lr"], Tensor) and not group["capturable"]:
            raise ValueError("Invalid learning rate: a tensor; expected a float where foreach is True")
        return group

    def _needed(self, group: dict[str, Any]) -> tuple[str, ...]:
        needed = super()._needed(group)
        return (*needed, "max_exp_avg_sq") if group["amsgrad"] else needed

    def _check_memory(self, memory: dict[str, Any], params: list[Tensor]) -> None:
        self._check_turns(memory)
        check("previous_loss", memory["previous_loss"], lambda v: isinstance(v, float) and abs(v) != math.inf,
              "a finite float, or NaN for none")  # fmt: skip
        check("best_loss", memory["best_loss"], lambda v: isinstance(v, float) and v > -math.inf, "a float above -inf")
        self._check_best(memory, params)

    def _move(self, loss: float | Tensor | None, dtype: torch.dtype | None) -> None:
        ledger = self._ledger_for(loss, dtype)
        grad_scale, found_inf = getattr(self, "grad_scale", None), getattr(self, "found_inf", None)  # of a scaler
        if found_inf is not None:
            found_inf = anywhere(found_inf, self._process_group)
        if ledger is None:
            if loss is None:
                self._warn_bare("is Adam")
            if found_inf is not None and found_inf.item():
                return
        known = self._before()
        prepared = self._prepare(known)
        if ledger is not None:
            self._move_there(ledger, loss, known, prepared, grad_scale, found_inf)
            return
        self._keep(known, isinstance(loss, float) and self._judge(loss, dtype))
        for group, tensors in zip(self.param_groups, prepared, strict=True):
            torch_adam(group, tensors, group["maximize"], grad_scale)

    def _prepare(self, known: Known) -> list[Prepared]:
        """Collect what torch's functional Adam takes, in its order, creating the state that is missing."""
        prepared: list[Prepared] = []
        states, unknown = iter(known[0]), known[1]
        for group in self.param_groups:
            tensors: Prepared = [[], [], [], [], [], []]
            params, grads, averages, squares, maxima, steps = tensors
            amsgrad = group["amsgrad"]
            for param, state in islice(states, 0 if unknown else len(group["params"])):
                if (grad := param.grad) is not None:
                    params.append(param)
                    grads.append(grad)
                    averages.append(state["exp_avg"])
                    squares.append(state["exp_avg_sq"])
                    steps.append(state["step"])
                    if amsgrad:
                        maxima.append(state["max_exp_avg_sq"])
            if unknown or any([grad.is_sparse for grad in grads]):  # which it refuses
                self._init_group(group, *tensors)  # type: ignore[no-untyped-call]
            prepared.append(tensors)
        return prepared

    def _judge(self, loss: float, dtype: torch.dtype | None) -> bool:
        """Do lines 8–24 of Algorithm 1 for the loss of the parameters as they are; say whether it is the best yet."""
        first = self.param_groups[0]
        losses, best = first["losses"], first["best_loss"]
        decision: Any = decide(
            loss, first["maximize"], first["previous_loss"], first["delta"], first["gamma"], first["floor"]
        )
        maximize, previous_loss, reason = decision
        verdict = {"losses": losses + 1, "previous_loss": previous_loss}
        improved: bool = -math.inf < loss < best and (first["track_best"] != "turn" or (reason and maximize))
        if improved:
            verdict["best_loss"] = loss
        if reason:
            if REASONS[reason] == "critical":
                self._warn_coarse(loss, dtype, 7)
            verdict.update(self._turn(losses, maximize, reason))
            self._forget_gradients()
        for group in self.param_groups:
            group.update(verdict)
        return improved

    def _forget_gradients(self, turned: Tensor | None = None) -> None:
        for _, state in self._known()[0]:
            for key in _FORGOTTEN & state.keys():
                if turned is None:
                    state[key].zero_()
                else:
                    clear_where(turned, state[key])

    def _move_there(
        self, ledger: Ledger, loss: float | Tensor | None, known: Known, prepared: list[Prepared],
        grad_scale: Tensor | None, found_inf: Tensor | None,
    ) -> None:  # fmt: skip
        """The same where the decision is a tensor on the device, for which nothing waits."""
        skipped = None if found_inf is None else found_inf.view(()) > 0
        improved: bool | Tensor = False
        if loss is not None:
            first = self.param_groups[0]
            turned, improved = ledger.judge(
                loss, first["delta"], first["gamma"], first["floor"], first["track_best"] == "turn", skipped
            )
            self._forget_gradients(turned)
        self._keep(known, improved)
        for group, (params, grads, averages, squares, maxima, steps) in zip(self.param_groups, prepared, strict=True):
            if not params:
                continue
            for index, (param, step) in enumerate(zip(params, steps, strict=True)):
                if step.device != param.device:  # where torch's Adam would read it on the host
                    self.state[param]["step"] = steps[index] = step.to(param.device)
            grads = [shard_like(grad, param) for param, grad in zip(params, grads, strict=True)]
            shards = [[local(x) for x in part] for part in (params, averages, squares, maxima)]
            if group["fused"]:
                # Told that a gradient is not finite, the fused kernel leaves all as it is: so that one of two moves.
                for maximize, idle in zip((False, True), ledger.idle(skipped), strict=True):
                    torch_adam(group, [shards[0], grads, *shards[1:], steps], maximize, grad_scale, idle)
            else:
                torch_adam(group, [shards[0], ledger.signed(grads), *shards[1:], steps], False, grad_scale)

    def _leave(self) -> None:
        self._forget_gradients()
        self._remember(previous_loss=math.nan)
