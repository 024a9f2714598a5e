"""The control for every claim of escape: start Adam again whenever Hill-ADAM would have turned."""

import numpy as np

from hilladam.experiments.training import Record


def gradients_to(run: Record, target: float) -> np.ndarray:
    """How many gradients each member had taken when its loss first lay below the target.

    Args:
        run: with history.
        target: in units of the loss.

    Returns:
        Shape ``(members,)``; infinite for a member that never got there.
    """
    below = run.losses < target
    return np.where(below.any(axis=0), below.argmax(axis=0) + 1.0, np.inf)


def restarted(run: Record, target: float, delta: float, chains: int) -> np.ndarray:
    """The same count for chains of restarts: each run is given up when its loss changes by less than ``delta``.

    The members of the record are the restarts: runs of Adam from independent random starts. They are dealt out to the
    chains in equal number, and a chain does its runs one after the other.

    Args:
        run: with history; the number of members must be a multiple of ``chains``.
        target: in units of the loss.
        delta: δ, Hill-ADAM's own trigger.
        chains: how many chains to make.

    Returns:
        Shape ``(chains,)``; infinite for a chain that spends all its runs in vain.

    Raises:
        ValueError: members that cannot be dealt out evenly.
    """
    steps, members = run.losses.shape
    if chains < 1 or members % chains:
        raise ValueError(f"Invalid chains: {chains}; expected a divisor of the {members} members")
    critical = np.abs(np.diff(run.losses, axis=0)) < delta
    length = np.where(critical.any(axis=0), critical.argmax(axis=0) + 2.0, steps)
    hit = gradients_to(run, target)
    hit[hit > length] = np.inf
    length, hit = length.reshape(chains, -1), hit.reshape(chains, -1)
    spent = np.cumsum(length, axis=1) - length
    return (spent + hit).min(axis=1)
