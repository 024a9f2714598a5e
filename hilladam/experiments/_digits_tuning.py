"""The learning rates of the digits, found on seeds that are not compared."""

import warnings
from collections.abc import Iterable

import pandas as pd

from hilladam.experiments._digits import DIGITS_CONTENDERS, digits
from hilladam.experiments._in_turn import in_turn


def tune_digits(
    optimizers: Iterable[str] = DIGITS_CONTENDERS,
    rates: Iterable[float] = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
    seeds: Iterable[int] = range(100, 120),
    *,
    progress: bool = False,
    **settings,
) -> pd.DataFrame:
    """The final training loss with each learning rate, the mean over the seeds: how :data:`DIGITS_LR` was found.

    Ctrl-C keeps the rates that are complete, with a warning.

    Args:
        optimizers: names among :data:`DIGITS_CONTENDERS`.
        rates: what to try.
        seeds: others than those of the runs that are to be compared.
        progress: whether to show a progress bar over the rates.
        settings: what :func:`digits` takes besides, by name.

    Returns:
        A row for each optimizer, a column for each rate.

    Raises:
        ValueError: no rates, or what :func:`digits` refuses.

    Example:
        >>> from hilladam.experiments import tune_digits
        >>> table = tune_digits(["SGD"], rates=(0.001, 1.0), seeds=[100], epochs=1)
        >>> table.idxmin(axis=1).to_dict()
        {'SGD': 1.0}
    """
    optimizers, seeds, rates = list(optimizers), list(seeds), list(rates)
    if not rates:
        raise ValueError("Invalid rates: none; expected at least one")

    def column(rate):
        with warnings.catch_warnings():  # fewer epochs compare with no other
            warnings.filterwarnings("error", "Interrupted", RuntimeWarning)
            try:
                epochs = digits(optimizers, seeds, lr=dict.fromkeys(optimizers, rate), **settings).epochs
            except RuntimeWarning:
                raise KeyboardInterrupt from None
        final = epochs[epochs["epoch"] == epochs["epoch"].max()]
        return final.groupby("optimizer", sort=False)["train_loss"].mean()

    return pd.DataFrame(in_turn(rates, column, "rates", "tune" if progress else ""))
