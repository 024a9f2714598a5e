"""A memory of turns that may lie on the device, and what reads it, writes it, and lets a graph capture its steps."""

import warnings
from typing import Any

import torch
from torch import Tensor

from hilladam.optim._best import one_number, warn_not_finite
from hilladam.optim._ledger import Ledger, real
from hilladam.optim._torch_adam import on_accelerator
from hilladam.optim._turning import Turning

_EPS: dict[torch.dtype | None, float] = {
    dtype: torch.finfo(dtype).eps for dtype in (torch.float16, torch.bfloat16, torch.float32)
}


LARGEST = 2**26
"""The most parameters for which the device decides unless it is told to. There a copy that may have to be made, and
moments that may have to be cleared, move memory at every step: of so many numbers for about as long as an H200 makes
the host wait, a millisecond."""


class OnDevice(Turning):
    """An optimizer that decides on the device where it is told to, or where the loss lies on an accelerator.

    Then a ledger has the memory, and the groups have it once something of it is asked for.
    """

    _ledger: Ledger | None = None
    _dtype: torch.dtype | None = None  # of the last loss
    _told = False  # that the loss is coarse

    def _value(self, loss: Any) -> float | Tensor:  # type: ignore[override]
        if isinstance(loss, Tensor) and loss.numel() == 1 and not loss.is_complex():
            device = self._device()
            if self.param_groups[0]["capturable"] or (not loss.is_cpu and self._rather_there(device)):
                return loss.detach().reshape(()).to(device, real(device), non_blocking=True)
        return one_number(loss)

    def _rather_there(self, device: torch.device) -> bool:
        """Whether to decide on the device without being told to."""
        sizes = (param.numel() for group in self.param_groups for param in group["params"])
        return on_accelerator(device) and (self._ledger is not None or sum(sizes) <= LARGEST)

    def _ledger_for(self, loss: float | Tensor | None, dtype: torch.dtype | None) -> Ledger | None:
        """The ledger of a step on the device; a step on the host puts what it holds into the groups."""
        first = self.param_groups[0]
        if isinstance(loss, Tensor) or (loss is not None and first["capturable"]):
            device = self._device()
            if self._ledger is None or self._ledger.device != device:
                self._settle()
                self._ledger = Ledger(first, device)
            self._dtype = dtype
        elif loss is not None and self._ledger is not None:
            self._settle()
            self._ledger = None
        return self._ledger

    def _settle(self) -> None:
        if self._ledger is not None:
            memory, coarsest, unsound = self._ledger.read(self.param_groups[0])
            super()._remember(**memory)
            if unsound:
                warn_not_finite(self)
            if coarsest:
                self._warn_coarse(coarsest, self._dtype, 5)

    def _remember(self, **memory: Any) -> None:
        super()._remember(**memory)
        if self._ledger is not None:
            self._ledger.write(memory)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._settle()
        ledger, self._ledger = self._ledger, None
        try:
            super().load_state_dict(state_dict)
        finally:
            self._ledger = ledger
            if ledger is not None:
                ledger.write(self.param_groups[0])

    def _check_capture(self, loss: Any) -> None:
        first = self.param_groups[0]
        if not first["capturable"]:
            raise RuntimeError(
                "Attempting CUDA graph capture of step() for an instance of HillAdam, but capturable is False; "
                "construct it with capturable=True"
            )
        if not (loss is None or isinstance(loss, Tensor)):
            raise RuntimeError(f"Attempting CUDA graph capture of step() with the loss {loss!r}; expected a tensor")
        known, unknown = self._known()
        copied = not first["track_best"] or self._intact(known)
        if self._ledger is None or not copied or any(param.grad is not None for param in unknown):
            raise RuntimeError(
                "Attempting CUDA graph capture of step() before all that HillAdam remembers was made; take a step with "
                "a loss outside of the graph first, with gradients for every parameter that has them in the graph"
            )

    def _warn_coarse(self, loss: float, dtype: torch.dtype | None, stacklevel: int) -> None:
        delta, resolution = self.param_groups[0]["delta"], _EPS.get(dtype, 2.0**-52) * abs(loss)
        if delta < resolution and not self._told:
            self._told = True
            warnings.warn(
                f"HillAdam turned at a {dtype or 'float'} loss of {loss:.4g}, whose neighbours are up to "
                f"{resolution:.2g} away: it cannot tell a change of delta = {delta:.2g}, so the loss may only look "
                "as if it stood still. Compute the loss in float32 or float64, average it instead of summing, or raise "
                "delta.",
                RuntimeWarning,
                stacklevel=stacklevel,
            )
