"""Compute again what the package stores and no command of `python -m hilladam` makes, and write it into the repository.

    python tools/store_results.py NAME ...

NAME is success_maps (ten minutes on one core), against_restarts (half an hour on two), table2_rates (a GPU's work),
further_races (half a minute), limits, tuning_itself, noisy_walks (ten minutes each on one core) or walks (eight).
"""

import base64
import json
import sys
import zlib
from pathlib import Path

from hilladam import colour
from hilladam.experiments import (
    DISTANCES,
    FAR_WALKERS,
    MAPPED,
    WALKERS,
    against_restarts,
    further_races,
    limits,
    noisy_walks,
    success_map,
    table2_rates,
    tuning_itself,
    walks,
)
from hilladam.experiments._hits import packed_hits
from hilladam.experiments._limits import pack
from hilladam.experiments._race_results import packed
from hilladam.experiments._walks import packed_gaps
from hilladam.losses import ColourLoss

FOLDER = Path(__file__).parents[1] / "hilladam" / "experiments"


def success_maps_text(maps):
    """Return each map's counts, compressed, by name."""
    packed = {n: base64.b64encode(zlib.compress(m.counts.tobytes(), 9)).decode() for n, m in maps.items()}
    return json.dumps(packed, indent=1) + "\n"


def against_restarts_text(found):
    """Return a row for each key: the number of searches, and a bit for each of them, in hexadecimal digits."""
    rows = [[*key, *packed_hits(hits)] for key, hits in found.items()]
    return "[\n " + ",\n ".join(map(json.dumps, rows)) + "\n]\n"


def twelve_pairs():
    return {
        pair.name: ColourLoss(colour.channel_means(pair.source), colour.channel_means(pair.target))
        for pair in colour.pairs()
    }


def table2_rates_text(table):
    """Return the columns by name, one a line."""
    columns = [f"{json.dumps(name)}: {json.dumps(values)}" for name, values in table.to_dict("list").items()]
    return "{\n " + ",\n ".join(columns) + "\n}\n"


def further_races_text(found):
    """Return a row for each race: its key, λ, what was tried, and the evaluations of every run to the target."""
    rows = [[*key, each.lr, each.tried, packed(each.hits)] for key, each in found.items()]
    return "[\n " + ",\n ".join(map(json.dumps, rows)) + "\n]\n"


def limits_text(found):
    """Return a row for each part: its key, and its array, compressed."""
    rows = [[*key, *pack(array)] for key, array in found.items()]
    return "[\n " + ",\n ".join(map(json.dumps, rows)) + "\n]\n"


def walks_text(found):
    """Return for each distance the gaps of every run, compressed, a line for each contender."""
    packed = [{name: packed_gaps(gaps) for name, gaps in each.items()} for each in found]
    return json.dumps(packed, indent=1, ensure_ascii=False) + "\n"


def every_distance():
    """Return what all contenders find from the box, and what those that are stored find from farther out."""
    return [
        walks(WALKERS if away == 1 else FAR_WALKERS, distance=away, progress=f"walks × {away:g}") for away in DISTANCES
    ]


def noisy_walks_text(found):
    """Return a row for each walker: its key, the number of runs, and a bit for each of them."""
    rows = [[*key, *packed_hits(hits)] for key, hits in found.items()]
    return "[\n " + ",\n ".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"


def tuning_itself_text(found):
    """Return a row for each contender: its key, λ if it was tuned, the number of runs, and a bit for each of them."""
    rows = [[*key, each.lr, *packed_hits(each.hits)] for key, each in found.items()]
    return "[\n " + ",\n ".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"


RESULTS = {
    "success_maps": lambda: success_maps_text({name: success_map(name) for name in MAPPED}),
    "against_restarts": lambda: against_restarts_text(
        against_restarts() | against_restarts(scales=[None], lrs=[2, 3, 10])
    ),
    "table2_rates": lambda: table2_rates_text(table2_rates(twelve_pairs())),
    "further_races": lambda: further_races_text(further_races()),
    "limits": lambda: limits_text(limits(print)),
    "walks": lambda: walks_text(every_distance()),
    "noisy_walks": lambda: noisy_walks_text(noisy_walks()),
    "tuning_itself": lambda: tuning_itself_text(tuning_itself()),
}


def main(names):
    for name in names:
        (FOLDER / f"{name}.json").write_text(RESULTS[name](), encoding="utf-8")


if __name__ == "__main__":
    if not sys.argv[1:] or not set(sys.argv[1:]) <= set(RESULTS):
        sys.exit(__doc__)
    main(sys.argv[1:])
