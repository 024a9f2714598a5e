"""What an optimizer remembers of a run: where it is kept, when it is forgotten, and how it is loaded."""

from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer

from hilladam.optim._numbers import check, plain


class Remembering(Optimizer):
    """An optimizer that remembers more of a run than a tensor for each parameter.

    The memory is the same in every parameter group, as plain numbers or tensors, because that is what survives
    ``state_dict``, ``deepcopy``, ``pickle`` and distributed checkpoints at full precision. It is replaced, never
    changed in place, so that a saved state dict stands while training goes on. The groups are the optimizer's own: the
    dicts that it is constructed with are copied and left alone, and what they remember of another run is dropped.
    Assigning an empty ``state`` forgets the run.
    """

    _MEMORY: ClassVar[dict[str, Any]] = {}
    """Each name of the memory, and what it is before any run."""
    _ONE_FOR_ALL: ClassVar[tuple[str, ...]] = ()
    """The settings that every group shares. A group that does not say follows the first one."""
    _BECAUSE: ClassVar[str] = ""
    """Why it shares them."""
    _OPTIONAL: ClassVar[frozenset[str]] = frozenset()
    """The settings that a state dict may lack; they stay as they are in the optimizer that loads it."""
    _STATE: ClassVar[tuple[str, ...]] = ()
    """The tensors, shaped like the parameter, that a parameter's state has if it has any."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "state" and not value and self.__dict__.get("param_groups"):  # torch's constructor has no groups yet
            self._remember(**self._nothing())

    def __repr__(self) -> str:
        """The settings, without what is remembered of the run."""
        lines = [f"{type(self).__name__} ("]
        for index, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {index}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group.keys() - {"params"} - self._MEMORY.keys())]
        return "\n".join([*lines, ")"])

    def __getstate__(self) -> dict[str, Any]:
        self._settle()
        return super().__getstate__()

    def state_dict(self) -> dict[str, Any]:
        """All that is remembered, as for every optimizer of torch."""
        self._settle()
        return super().state_dict()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a parameter group. The dict is copied, and what it remembers of another run is dropped.

        Raises:
            ValueError: an argument out of its range, or one that all groups share and that differs from theirs.
        """
        if not isinstance(param_group, dict):
            super().add_param_group(param_group)  # says that it is no dict
        self._settle()
        group = {key: plain(value) for key, value in param_group.items() if key not in self._MEMORY}
        if isinstance(group.get("params"), Iterator):
            # It can be read but once; torch, too, leaves the caller a list, so that the dict can be used again.
            group["params"] = param_group["params"] = list(group["params"])
        first = self.param_groups[0] if self.param_groups else None
        if first is not None:
            group = {**{key: first[key] for key in self._ONE_FOR_ALL}, **group}
        super().add_param_group(group)
        try:
            self._check_group(group)
            for param in group["params"]:
                self._check_param(param)
            self._check_alike([first or group, group], self._ONE_FOR_ALL)
        except ValueError:
            self.param_groups.pop()
            raise
        group.update({key: first[key] for key in self._MEMORY} if first is not None else self._nothing())

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a saved state. One that does not fit is refused as a whole, and changes nothing.

        Raises:
            ValueError: what is wrong with the state dict.
        """
        if not isinstance(state_dict, dict):
            raise ValueError(f"Invalid state dict: a {type(state_dict).__name__}; expected a dict")
        before = {key: self.__dict__[key] for key in ("state", "param_groups")}
        checking = self.register_load_state_dict_pre_hook(lambda _, saved: self._checked(saved))  # the last one
        try:
            super().load_state_dict(state_dict)
        except BaseException:
            self.__dict__.update(before)
            raise
        finally:
            checking.remove()

    def _nothing(self) -> dict[str, Any]:
        """The memory before any run."""
        return dict(self._MEMORY)

    def _settle(self) -> None:
        """Bring what the groups remember up to date, where it is kept elsewhere."""

    def _first(self) -> dict[str, Any]:
        """The first group, with all that is remembered."""
        self._settle()
        return self.param_groups[0]

    def _remember(self, **memory: Any) -> None:
        for group in self.param_groups:
            group.update(memory)

    def _device(self) -> torch.device:
        """Where the parameters are, and so whatever of the memory is a tensor: checkpoints allow but one device."""
        for group in self.param_groups:
            if group["params"]:
                device: torch.device = group["params"][0].device
                return device
        return torch.device("cpu")

    def _check_group(self, group: dict[str, Any]) -> None:
        """Raise where a setting is out of its range."""
        raise NotImplementedError

    def _check_param(self, param: Tensor) -> None:
        """Raise where the optimizer cannot move such a parameter."""

    def _check_memory(self, memory: dict[str, Any], params: list[Tensor]) -> None:
        """Raise where a state dict remembers what cannot have been."""
        raise NotImplementedError

    def _check_alike(self, groups: list[dict[str, Any]], keys: tuple[str, ...]) -> None:
        for group in groups[1:]:
            for key in keys:
                if not _same(group[key], groups[0][key]):
                    raise ValueError(
                        f"Invalid {key} value: {group[key]} in a parameter group; expected {groups[0][key]}, "
                        f"as in the first group, because {self._BECAUSE}"
                    )

    def _checked(self, state_dict: dict[str, Any]) -> dict[str, Any]:
        """The state dict with what it may lack put in, after all of it has been looked at."""
        saved, state = state_dict.get("param_groups"), state_dict.get("state")
        if not isinstance(saved, list | tuple) or not all(
            isinstance(group, dict) and isinstance(group.get("params"), list | tuple) for group in saved
        ):
            raise ValueError(
                "Invalid state dict: expected 'param_groups', a list of dicts that have a list of 'params'"
            )
        if not isinstance(state, dict):
            raise ValueError("Invalid state dict: expected 'state', a dict with the state of each parameter")
        sizes, own = [len(group["params"]) for group in saved], [len(group["params"]) for group in self.param_groups]
        if len(sizes) != len(own):
            raise ValueError(f"Invalid state dict: {len(sizes)} parameter groups; expected {len(own)}")
        if sizes != own:
            raise ValueError(f"Invalid state dict: groups of {sizes} parameters; expected {own}")
        groups = [self._completed(index, group) for index, group in enumerate(saved)]
        for group in groups:
            self._check_group(group)
            for key in self._MEMORY:
                check(key, group[key], lambda v: getattr(v, "layout", torch.strided) == torch.strided, "a dense tensor")
        self._check_alike(groups, (*self._ONE_FOR_ALL, *self._MEMORY))
        params = [param for group in self.param_groups for param in group["params"]]
        if groups:
            self._check_memory(groups[0], params)
            shared = {key: _moved(groups[0][key], self._device()) for key in self._MEMORY}
            groups = [{**group, **shared} for group in groups]

        ids = [(id_, group) for group in groups for id_ in group["params"]]
        if not all(isinstance(id_, int | str) for id_, _ in ids) or len({id_ for id_, _ in ids}) != len(set(params)):
            raise ValueError(
                "Invalid state dict: expected 'params' with a number or a name of its own for each parameter"
            )
        for (id_, group), param in zip(ids, params, strict=True):
            if id_ in state:
                self._check_state(id_, state[id_], param, group)
        return {**state_dict, "param_groups": groups}

    def _completed(self, index: int, saved: dict[str, Any]) -> dict[str, Any]:
        own, optional = self.param_groups[index], self._OPTIONAL | {"differentiable"}  # torch adds that to all defaults
        missing = [key for key in {**self.defaults, **self._MEMORY} if key not in saved and key not in optional]
        if missing:
            raise ValueError(
                f"Invalid state dict: parameter group {index} lacks {', '.join(map(repr, missing))}; "
                f"expected one of {type(self).__name__}"
            )
        kept = {key: own[key] for key in optional & own.keys()}
        return {**kept, **{key: plain(value) for key, value in saved.items()}}

    def _check_state(self, id_: int | str, state: Any, param: Tensor, group: dict[str, Any]) -> None:
        where = f"Invalid state dict: the state of parameter {id_!r}"
        if not isinstance(state, dict):
            raise ValueError(f"{where} is {state!r}; expected a dict")
        needed = self._needed(group)
        if state and not set(needed) <= state.keys():
            raise ValueError(f"{where} has {sorted(map(str, state))}; expected {sorted(needed)}")
        for key in (*self._STATE, "best"):
            if key in state and not _like(state[key], param):
                value = state[key]
                found = f"a {value.dtype} tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else value
                raise ValueError(
                    f"{where} has {key} = {found!s}; expected a {param.dtype} tensor of shape {tuple(param.shape)}"
                )

    def _needed(self, group: dict[str, Any]) -> tuple[str, ...]:
        """What the state of a parameter in such a group cannot be without."""
        return self._STATE


def gather(optimizer: Optimizer, *keys: str) -> list[tuple[list[Tensor], ...]]:
    """For each group: the parameters that have gradients, the gradients, and a list for each key of the state.

    State that is missing starts at zero. Nothing has changed where a gradient is refused.
    """
    name = type(optimizer).__name__
    ready = [[p for p in group["params"] if p.grad is not None] for group in optimizer.param_groups]
    for param in (p for params in ready for p in params):
        if param.grad.layout != torch.strided:
            raise RuntimeError(f"{name} does not support sparse gradients")
    for param in (p for params in ready for p in params):
        for key in keys:
            optimizer.state[param].setdefault(key, torch.zeros_like(param))
    return [
        (params, [p.grad for p in params], *([optimizer.state[p][key] for p in params] for key in keys))
        for params in ready
    ]


def _like(value: Any, param: Tensor) -> bool:
    """Whether a value can stand for the parameter; torch casts between real types when it loads."""
    return (
        isinstance(value, Tensor)
        and value.shape == param.shape
        and value.layout == param.layout
        and not (value.is_meta and not param.is_meta)
        and (value.is_floating_point() if param.is_floating_point() else value.dtype == param.dtype)
    )


def _same(a: Any, b: Any) -> bool:
    """Equality that takes NaN for itself, and tensors for their values."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a is b or (a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all()))
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return False
    return bool(a == b) or bool(a != a and b != b)


def _moved(value: Any, device: torch.device) -> Any:
    return value.detach().to(device) if isinstance(value, Tensor) else value
