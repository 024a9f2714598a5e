"""What the optimizers that draw random numbers have in common."""

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from hilladam.optim._best import BestSoFar
from hilladam.optim._numbers import plain


class Seeded(BestSoFar):
    """An optimizer with a random generator, whose place goes wherever the rest of the state goes.

    ``state_dict`` has it as ``"generator_state"`` in every group, and ``load_state_dict`` sets the generator to it. In
    the groups themselves, where checkpoint libraries look for the names of what there is, it is ``None``.
    """

    _MEMORY: ClassVar[dict[str, Any]] = {"generator_state": None}
    _OPTIONAL = frozenset({"generator_state"})

    def __init__(self, params: ParamsT, defaults: dict[str, Any], generator: torch.Generator | None):
        super().__init__(params, {key: plain(value) for key, value in defaults.items()})
        self.generator = generator

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "generator": self.generator}

    def state_dict(self) -> dict[str, Any]:
        saved = super().state_dict()
        if self.generator is not None:
            # Where the parameters are: checkpoint libraries want all tensors of one optimizer on one device.
            place = self.generator.get_state().to(self._device())
            for group in saved["param_groups"]:
                group["generator_state"] = place
        return saved

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        place = self.param_groups[0]["generator_state"]
        self._remember(generator_state=None)
        if place is not None and self.generator is not None:
            self.generator.set_state(place.cpu())

    def _completed(self, index: int, saved: dict[str, Any]) -> dict[str, Any]:
        place = saved.get("generator_state")
        if place is not None and self.generator is None:
            raise ValueError(
                "The state dict has the state of a generator and this optimizer has none; "
                "expected it to be constructed with generator=torch.Generator(...)"
            )
        if place is not None and self.generator is not None:
            try:
                torch.Generator(self.generator.device).set_state(place.cpu())
            except (AttributeError, RuntimeError, TypeError) as error:
                raise ValueError(
                    f"Invalid generator_state: {error}; expected that of a generator like its own"
                ) from error
        return super()._completed(index, {"generator_state": None, **saved})


def check_real(param: Tensor) -> None:
    """Raise where noise cannot be added."""
    if not param.is_floating_point():
        raise ValueError(f"Invalid parameter dtype: {param.dtype}; expected a real floating-point type")
