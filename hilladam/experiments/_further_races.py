"""What the race asks beyond its table: the same again, at a λ that was tuned for neither, and without γ."""

import json
import math
from importlib.resources import files

import numpy as np

from hilladam.experiments._courses import course
from hilladam.experiments._protocol import RATES
from hilladam.experiments._race import race_rates
from hilladam.experiments._race_results import (
    EVALUATIONS,
    RUNS,
    SEED,
    TUNING_RUNS,
    RaceResult,
    stored_race,
    tuned,
    unpacked,
)

_PAIR = "Hill-ADAM", "Adam, restarted"
_UNTUNED = RATES[9]  # 0.316


def further_races(
    runs: int = RUNS, tuning_runs: int = TUNING_RUNS, evaluations: int = EVALUATIONS
) -> dict[tuple[str, str, str], RaceResult]:
    """Race where the table of :func:`race_results` leaves a question open. Takes half a minute.

    - ``"again"``: Hill-ADAM and restarted Adam on Müller and Brown's surface, with their tuned λ, from the starts and
      boxes of two seeds more, 11 and 12: twice ``runs``.
    - ``"untuned"``: the same two on the tenth order at λ = 0.31622777, three times below the best of both, with the
      seed 2. One tooth of a comb: at 0.32 the order is the opposite.
    - ``"no gamma"``: Hill-ADAM with γ = ∞ and a λ that :func:`tuned` finds for it, from the race's own starts, on the
      three courses where Adam fails most.

    Args:
        runs: of each race.
        tuning_runs: of the races that tune.
        evaluations: the budget of each run.

    Returns:
        By question, course and contender. ``tried`` is there for ``"no gamma"`` alone, from ``tuning_runs`` at each λ.

    Example:
        >>> from hilladam.experiments import further_races
        >>> found = further_races(runs=2, tuning_runs=4, evaluations=20)
        >>> list(found)[-1], len(found["again", "mueller_brown", "Hill-ADAM"].hits)
        (('no gamma', 'rastrigin', 'Hill-ADAM'), 4)
    """
    found = {}
    for name in _PAIR:
        rate = stored_race()["mueller_brown", name].lr
        seeds = [_hits("mueller_brown", name, rate, runs, evaluations, seed=seed) for seed in (11, 12)]
        found["again", "mueller_brown", name] = RaceResult(np.concatenate(seeds), rate)
    for name in _PAIR:
        hits = _hits("tenth", name, _UNTUNED, runs, evaluations, seed=2)
        found["untuned", "tenth", name] = RaceResult(hits, _UNTUNED)
    for key in ("tenth", "mueller_brown", "rastrigin"):
        best = tuned(key, "Hill-ADAM", tuning_runs, evaluations, gamma=math.inf)
        hits = _hits(key, "Hill-ADAM", best.lr, runs, evaluations, seed=SEED, gamma=math.inf)
        found["no gamma", key, "Hill-ADAM"] = RaceResult(hits, best.lr, best.successes)
    return found


def _hits(key, name, rate, runs, evaluations, **settings):
    loss, box, target, _ = course(key)
    shared = dict(contender=name, runs=runs, evaluations=evaluations)
    return race_rates(loss, [rate], target, box, **shared, **settings)[0]


def stored_further_races() -> dict[tuple[str, str, str], RaceResult]:
    """What :func:`further_races` found, which the package stores.

    Made with ``python tools/store_results.py further_races``; the tests make some of it again.

    Example:
        >>> from hilladam.experiments import stored_further_races
        >>> stored_further_races()["untuned", "tenth", "Hill-ADAM"].lr < 1
        True
    """
    rows = json.loads((files("hilladam.experiments") / "further_races.json").read_text(encoding="utf-8"))
    found = {}
    for *key, lr, tried, hits in rows:
        tried = tried and {float(rate): count for rate, count in tried.items()}
        found[tuple(key)] = RaceResult(unpacked(hits), lr, tried)
    return found
