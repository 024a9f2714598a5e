"""When Hill-ADAM turns round: Algorithm 1, lines 8–19, as a pure function."""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

REASONS = ("none", "critical", "dead_end", "floor")
"""What :attr:`Decision.reason` counts: its values are indices into this tuple."""


class Decision(NamedTuple):
    """What :func:`decide` says of one loss, or of one loss for each member of an ensemble.

    Example:
        >>> from hilladam.optim import REASONS, decide
        >>> decision = decide(250.0, maximize=True, previous_loss=249.0, delta=1e-4, gamma=200.0)
        >>> decision.maximize, REASONS[decision.reason]
        (False, 'dead_end')
    """

    maximize: bool | Tensor
    """Whether the coming step climbs."""
    previous_loss: float | Tensor
    """What the next loss is to be compared with; NaN where nothing is remembered."""
    reason: int | Tensor
    """Why the direction changed, as an index into :data:`REASONS`; 0 where it did not."""


def decide(
    loss: float | Tensor,
    maximize: bool | Tensor,
    previous_loss: float | Tensor,
    delta: float | Tensor,
    gamma: float | Tensor = math.inf,
    floor: float | Tensor = -math.inf,
) -> Decision:
    """Decide the direction of the next step from the loss alone.

    Everything is elementwise: plain numbers decide for one model; tensors of any one shape, say ``(members,)``,
    decide for that many models at once, without a round trip to the host. A tensor of losses may meet plain numbers.

    1. A loss within ``delta`` of the previous one is *critical*: the direction toggles (lines 8–11).
    2. A loss above ``gamma`` is a *dead end*: the direction becomes minimising whatever rule 1 said (lines 13–19).
    3. A loss below ``floor`` has fallen through the *floor*: the direction becomes maximising. The paper has no such
       rule; its author's code has, with a floor of −10⁴.

    Whichever rule fires, the loss is forgotten, so that the next one has nothing to be compared with (lines 10 and
    16). A loss that is not finite fires no rule and is forgotten too.

    Args:
        loss: the loss of the parameters as they stand, before the step.
        maximize: whether the last step climbed (bool).
        previous_loss: the loss before, NaN for none.
        delta: δ ≥ 0, in units of the loss. The comparison is strict, so that ``delta=0`` never toggles.
        gamma: γ, in units of the loss.
        floor: in units of the loss.

    Returns:
        The decision, in the shape of the arguments; its parts are bool, floating point like ``loss``, and integer.

    Example:
        >>> import torch
        >>> from hilladam.optim import decide
        >>> decide(2.0, maximize=False, previous_loss=2.00001, delta=1e-4)
        Decision(maximize=True, previous_loss=nan, reason=1)
        >>> decide(2.0, maximize=False, previous_loss=3.0, delta=1e-4)
        Decision(maximize=False, previous_loss=2.0, reason=0)
        >>> losses = torch.tensor([2.0, 7.0])  # of two members
        >>> decide(losses, torch.tensor([False, True]), torch.tensor([2.0, 4.0]), delta=1e-4, gamma=5.0).reason
        tensor([1, 2])
    """
    size: Any = abs(loss)
    change: Any = abs(loss - previous_loss)
    finite: Any = size < math.inf
    critical: Any = change < delta
    above: Any = finite & (loss > gamma)
    below: Any = finite & (loss < floor)
    turned = below | (maximize ^ critical) & (above ^ True)
    previous_loss = _where(critical | above | below | (finite ^ True), math.nan, loss)
    reason = (turned ^ maximize) * (1 + (above | below) + below)
    return Decision(turned, previous_loss, reason)


def _where(condition: Any, yes: Any, no: Any) -> Any:
    """``torch.where`` that also takes a plain bool, so that one model need not pay for tensors."""
    if isinstance(condition, Tensor):
        return torch.where(condition, yes, no)
    return yes if condition else no
