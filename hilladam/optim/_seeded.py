"""What the optimizers that draw random numbers have in common."""

from typing import Any

import torch
from torch.optim.optimizer import Optimizer, ParamsT


class Seeded(Optimizer):
    """An optimizer with a random generator, whose place goes wherever the rest of the state goes.

    ``state_dict`` has it as ``"generator_state"`` in every group, and ``load_state_dict`` sets the generator to it. In
    the groups themselves, where checkpoint libraries look for the names of what there is, it is ``None``.
    """

    def __init__(self, params: ParamsT, defaults: dict[str, Any], generator: torch.Generator | None):
        super().__init__(params, {**defaults, "generator_state": None})
        self.generator = generator

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "generator": self.generator}

    def state_dict(self) -> dict[str, Any]:
        saved = super().state_dict()
        if self.generator is not None:
            for group in saved["param_groups"]:
                group["generator_state"] = self.generator.get_state()
        return saved

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        place = state_dict["param_groups"][0].get("generator_state")
        if place is not None and self.generator is None:
            raise ValueError(
                "The state dict has the state of a generator and this optimizer has none; "
                "expected it to be constructed with generator=torch.Generator(...)"
            )
        super().load_state_dict(state_dict)
        for group in self.param_groups:
            group["generator_state"] = None
        if place is not None:
            self.generator.set_state(place.cpu())
