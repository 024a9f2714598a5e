"""Long work in parts, of which an interrupt loses only the one that it meets."""

import warnings
from collections.abc import Callable, Sequence
from typing import TypeVar

from tqdm.auto import tqdm

Key = TypeVar("Key")
Part = TypeVar("Part")


def in_turn(keys: Sequence[Key], work: Callable[[Key], Part], what: str, progress: str = "") -> dict[Key, Part]:
    """What ``work`` makes of every key. Ctrl-C keeps what is complete, with a warning; with nothing, it passes on."""
    found = {}
    try:
        for key in tqdm(keys, desc=progress, disable=not progress, leave=False):
            found[key] = work(key)
    except KeyboardInterrupt:
        if not found:
            raise
        message = f"Interrupted: {len(found)} of {len(keys)} {what} are complete"
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    return found
