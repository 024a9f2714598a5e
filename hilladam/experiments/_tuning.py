"""The learning rate with which each contender does best in a race, as the races need it to be fair."""

from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files

import numpy as np
import pandas as pd
from torch import Tensor

from hilladam.experiments._contenders import chosen
from hilladam.experiments._in_turn import in_turn
from hilladam.experiments._race import RACE_CONTENDERS, race
from hilladam.experiments._restarts import gradients_to

_LEARNING_RATES = tuple(round(10 ** (k / 2), 6) for k in range(-10, 3))  # 0.00001 to 10, two to a factor of ten


def tune(
    loss: Callable[[Tensor], Tensor],
    target: float,
    box: Sequence[tuple[float, float]] | tuple[float, float] | None = None,
    *,
    contenders: Iterable[str] = RACE_CONTENDERS,
    rates: Iterable[float] = _LEARNING_RATES,
    seed: int = 1000,
    progress: bool = False,
    **settings,
) -> dict[str, float]:
    """The learning rate with which each contender reaches the target most often, in races from other starts.

    Of rates that succeed equally often the one with the fewest evaluations, summed over the runs, is taken; a run that
    fails counts with its whole budget.

    Ctrl-C keeps the contenders that are tuned, with a warning.

    Args:
        loss, box, contenders: as for :func:`race`.
        target: in units of the loss.
        rates: which to try. Default: from 0.00001 to 10, two to a factor of ten.
        seed: of the starts; not the one of the race itself.
        progress: whether to show a progress bar over the contenders.
        settings: what :func:`race` takes besides, by name.

    Returns:
        The rates by name.

    Raises:
        ValueError: no rates, a target that is not a number, or what :func:`race` refuses.

    Example:
        >>> from hilladam.experiments import course, tune
        >>> loss, box, target = course("double_well")
        >>> tune(loss, target, box, contenders=["Adam"], rates=(1e-5, 0.1), runs=20, evaluations=100)
        {'Adam': 0.1}
    """
    contenders, rates = chosen(contenders, RACE_CONTENDERS, "contender"), list(rates)
    if not rates:
        raise ValueError("Invalid rates: none; expected at least one")

    def best(name):
        scores = []
        for rate in rates:
            (record,) = race(loss, rate, box, contenders=[name], seed=seed, **settings).values()
            hits = gradients_to(record, target)
            scores.append((np.isfinite(hits).mean(), -np.minimum(hits, len(record.losses)).sum(), rate))
        return max(scores)[-1]

    return in_turn(contenders, best, "contenders", "tune" if progress else "")


def tuned_rates() -> pd.DataFrame:
    """The learning rates that :func:`tune` found for every course, in races of 100 runs and 1,000 evaluations.

    Returns:
        A row for each of :data:`COURSES`, a column for each of :data:`RACE_CONTENDERS`. They were made with
        ``python -m hilladam tune --json race.json``, and the tests make some of them again.

    Example:
        >>> from hilladam.experiments import tuned_rates
        >>> float(tuned_rates().loc["rastrigin", "Hill-ADAM"])
        0.316228
    """
    return pd.read_json(files("hilladam.experiments") / "race.json", precise_float=True).set_index("course")
