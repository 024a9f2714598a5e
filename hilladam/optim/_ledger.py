"""What Hill-ADAM remembers of its turns, as tensors beside the parameters: so that no step waits for an accelerator."""

from typing import Any

import torch
from torch import Tensor

from hilladam.optim._ranks import local
from hilladam.optim._switching import REASONS, decide
from hilladam.optim._turning import LOGGED


class Ledger:
    """A memory that lies on the device, and is changed in place without a branch, so that it can be part of a graph.

    It begins with a memory in plain numbers, and :meth:`read` gives such a one back.
    """

    def __init__(self, memory: dict[str, Any], device: torch.device):
        self.device = device
        numbers = {
            "maximize": torch.bool, "losses": torch.int64, "switch_count": torch.int64, "previous_loss": real(device),
            "best_loss": real(device), "coarsest": real(device), "unsound": real(device),
        }  # fmt: skip
        self.numbers = {key: torch.zeros((), dtype=dtype, device=device) for key, dtype in numbers.items()}
        self.switch_log = torch.full((LOGGED + 1,), -1, device=device)  # its last place takes what is no turn
        self.write(memory)

    def write(self, memory: dict[str, Any]) -> None:
        """Take over what a memory in plain numbers says, in place."""
        for key in self.numbers.keys() & memory.keys():
            self.numbers[key].fill_(memory[key])
        if "switch_log" in memory:
            self.switch_log[:LOGGED].copy_(memory["switch_log"])

    def read(self, known: dict[str, Any]) -> tuple[dict[str, Any], float, bool]:
        """What has changed of a memory in plain numbers; and, since it was last asked, the largest loss at which it
        turned for standing still, and whether one was not finite. This waits for the device, once."""
        numbers = torch.stack([number.to(self.numbers["best_loss"].dtype) for number in self.numbers.values()])
        maximize, losses, switch_count, previous_loss, best_loss, coarsest, unsound = numbers.tolist()
        self.write({"coarsest": 0.0, "unsound": 0.0})
        memory = {
            "maximize": bool(maximize), "losses": int(losses), "switch_count": int(switch_count),
            "previous_loss": previous_loss, "best_loss": best_loss,
        }  # fmt: skip
        memory = {key: value for key, value in memory.items() if value != known[key]}
        if "switch_count" in memory:
            memory["switch_log"] = self.switch_log[:LOGGED].clone()
        return memory, coarsest, unsound != unsound

    def judge(
        self, loss: float | Tensor, delta: float, gamma: float, floor: float, turns_only: bool, skipped: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Do lines 8–21 of Algorithm 1; say whether it turns, and whether the loss is the best yet.

        With ``turns_only`` only a loss at which a descent ends can be the best. Where ``skipped``, nothing changes.
        """
        maximize, previous_loss, best_loss = (self.numbers[key] for key in ("maximize", "previous_loss", "best_loss"))
        losses, switch_count, coarsest = (self.numbers[key] for key in ("losses", "switch_count", "coarsest"))
        if isinstance(loss, Tensor):
            self.numbers["unsound"] += 0 * loss  # NaN once it was not finite
        else:
            loss = torch.full_like(best_loss, loss)
        decision: Any = decide(loss, maximize, previous_loss, delta, gamma, floor)
        up, remembered, reason = decision
        if skipped is not None:
            up, remembered = torch.where(skipped, maximize, up), torch.where(skipped, previous_loss, remembered)
            reason = torch.where(skipped, 0, reason)
        turned, improved = reason > 0, (loss < best_loss) & (loss > -torch.inf)
        if turns_only:
            improved &= turned & up
        if skipped is not None:
            improved &= ~skipped
        torch.where(improved, loss, best_loss, out=best_loss)
        place, entry = torch.where(turned, switch_count % LOGGED, LOGGED), 8 * losses + 2 * reason + up
        self.switch_log.index_copy_(0, place.view(1), entry.view(1))
        size = torch.where(reason == REASONS.index("critical"), loss.abs(), 0.0)
        torch.maximum(coarsest, size, out=coarsest)
        switch_count += turned
        losses += 1 if skipped is None else ~skipped
        maximize.copy_(up)
        previous_loss.copy_(remembered)
        return turned, improved

    def signed(self, grads: list[Tensor]) -> list[Tensor]:
        """The gradients, turned round where it climbs."""
        sign = torch.where(self.numbers["maximize"], -1.0, 1.0)
        if all(grad.device == grads[0].device for grad in grads):
            return list(torch._foreach_mul(grads, sign.to(grads[0].device, grads[0].dtype, non_blocking=True)))
        return [grad * sign.to(grad.device, grad.dtype, non_blocking=True) for grad in grads]

    def idle(self, skipped: Tensor | None) -> tuple[Tensor, Tensor]:
        """1 where it is not to descend, and 1 where it is not to climb; else 0."""
        up = self.numbers["maximize"]
        still = (up, ~up) if skipped is None else (up | skipped, ~up | skipped)
        return still[0].float(), still[1].float()


def real(device: torch.device) -> torch.dtype:
    """The type of numbers that a loss is remembered as: float64 where the device has it."""
    return torch.float32 if device.type == "mps" else torch.float64


def clear_where(flag: Tensor, tensor: Tensor) -> None:
    """Clear a tensor where a flag on the device says so."""
    local(tensor).masked_fill_(flag.to(tensor.device, non_blocking=True), 0)
