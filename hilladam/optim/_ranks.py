"""Many processes: one loss for all ranks, and tensors of which each rank has a shard."""

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def whole(tensor: Any) -> Any:
    """A tensor that is spread over ranks, put together, or summed where each has a part; any other as it is."""
    full_tensor = None if type(tensor) is Tensor else getattr(tensor, "full_tensor", None)
    return full_tensor() if full_tensor else tensor


def local(tensor: Tensor) -> Tensor:
    """What this rank holds of a tensor that is spread over ranks; any other as it is."""
    to_local = getattr(tensor, "to_local", None)
    return to_local() if to_local else tensor


def shard_like(grad: Tensor, param: Tensor) -> Tensor:
    """What this rank holds of a gradient, spread as its parameter is."""
    placements = getattr(param, "placements", None)
    return local(grad.redistribute(placements=placements) if placements else grad)  # type: ignore[attr-defined]


def copy_all(into: list[Tensor], values: list[Tensor]) -> None:
    """Copy tensor by tensor, in one call where torch can."""
    try:
        torch._foreach_copy_(into, values)
    except (NotImplementedError, RuntimeError, AssertionError):  # for shards it cannot; torch 2.7 says so by asserting
        for old, new in zip(into, values, strict=True):
            old.copy_(new)


def check_process_group(group: Any) -> None:
    if not (group is None or group is False or (dist.is_available() and isinstance(group, dist.ProcessGroup))):
        raise ValueError(
            f"Invalid process_group value: {group!r}; expected a process group of torch.distributed, None for that of "
            "all ranks, or False for none"
        )


def _alone(group: Any) -> bool:
    return group is False or not (dist.is_available() and dist.is_initialized()) or dist.get_world_size(group) < 2


def anywhere(flag: Tensor, group: Any) -> Tensor:
    """A flag that is up, not 0, where it is up on any rank. Each has to ask."""
    if _alone(group):
        return flag
    flag = flag.clone()
    dist.all_reduce(flag, dist.ReduceOp.MAX, group=group)
    return flag


def agreed(loss: float | Tensor | None, group: Any, device_of: Callable[[], torch.device]) -> float | Tensor | None:
    """The mean of the losses that the ranks were given; on ranks that were given none, that of the others.

    Each rank has to ask, whether it has a loss or not; losses of members each has to give. A rank that gives a tensor
    gets one, and does not wait.
    """
    if _alone(group):
        return loss
    device = device_of()
    if isinstance(loss, Tensor) and loss.dim():
        members = loss.to(device, torch.float64, copy=True)
        dist.all_reduce(members, group=group)
        return (members / dist.get_world_size(group)).to(loss)
    if isinstance(loss, Tensor):  # it has one, so that there is nothing to wait for
        total = torch.stack([loss.to(device, torch.float64), torch.ones((), dtype=torch.float64, device=device)])
        dist.all_reduce(total, group=group)
        return (total[0] / total[1]).to(loss)
    total = torch.tensor([loss or 0.0, loss is not None], dtype=torch.float64, device=device)
    dist.all_reduce(total, group=group)
    summed, count = total.tolist()
    return summed / count if count else None
