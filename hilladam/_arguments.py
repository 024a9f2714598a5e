"""What the command line takes, and what it refuses before any work is done."""

import argparse
import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import torch

from hilladam import __version__, _commands
from hilladam._files import check_file
from hilladam.experiments import ACTIVATIONS, CONTESTANTS, COURSES, FUNCTIONS, RACE_CONTENDERS, SEARCHERS
from hilladam.experiments._again import key_of, keys
from hilladam.experiments._championship import INSTANCES

TABLE_1_EPILOG = """\
Table 1 takes a few seconds, and under one second of them to train, with numba (pip install 'hilladam[fast]'),
otherwise well under a minute on two cores. The table's means are over runs; `success` is the share of runs
whose best loss is within 0.01 of the global minimum, `low` and `high` its 95 % interval; `best_in` and `final_in`
count the runs in each basin, written as the loss at its bottom and the number of runs.

For example, what ReLU between the layers makes of it, with the rows for another program:
  python -m hilladam table1 --activation relu --seeds 60 --json relu.json"""

TABLE_2_EPILOG = """\
All of Table 2 takes about two minutes on two cores. `best_excess` and `final_excess` are medians of the loss above
the global minimum; `best_global` and `final_global` the shares of runs within 0.01 of it, with 95 % intervals;
`negative` the share of runs that end with a negative gain. --json writes one row for each run, --out the corrected
photographs and gains.json.

For example, a photograph of your own, in the colours of another:
  python -m hilladam table2 --source amber.jpg --target blue.jpg --out corrected"""

READINGS_EPILOG = """\
For example, a first look in a minute or so:
  python -m hilladam readings --seeds 4 --steps 3000"""

RACE_EPILOG = """\
Everybody on every course takes some fifteen minutes of one core; the table is of the share of runs that reached the
target. What Ctrl-C left unfinished goes on with --resume. It needs NLopt and pycma: pip install 'hilladam[search]'.

For example, what the package stores, begun, stopped and finished:
  python -m hilladam race --resume race.interrupted.json --json race.json"""

CHAMPIONSHIP_EPILOG = """\
Everybody takes some eight minutes of one core with two and three variables, and ten more with five; longer if numba is
not installed. The table is of the share of 21 targets on BBOB's functions that were met, with gradients for nothing and
charged as central differences. What Ctrl-C left unfinished goes on with --resume. It needs COCO, NLopt and pycma: pip
install 'hilladam[benchmark,search]'.

For example, what the package stores, with five variables after two and three, begun, stopped and finished:
  python -m hilladam championship --dimensions 2 3 5 --resume all.interrupted.json --json all.json"""

AGAIN_EPILOG = """\
Everything takes some ten minutes of one core; the table is of the share of runs that reached the global minimum, or of
the median of the lowest losses. What Ctrl-C left unfinished goes on with --resume. It needs numba, scikit-learn and
scikit-image: pip install 'hilladam[fast,digits,colour]'.

For example, what the package stores, begun, stopped and finished:
  python -m hilladam again --resume again.interrupted.json --json again.json"""


def parser() -> argparse.ArgumentParser:
    """The parser; the options that it returns have ``run``, which takes them."""
    parser = argparse.ArgumentParser(
        prog="python -m hilladam", description="Rerun the experiments of the Hill-ADAM paper."
    )
    parser.add_argument("--version", action="version", version=f"hilladam {__version__}")
    commands = parser.add_subparsers(required=True)

    def command(run: Callable, about: str, epilog: str) -> argparse.ArgumentParser:
        form = argparse.RawDescriptionHelpFormatter  # the epilogs have lines of their own
        each = commands.add_parser(run.__name__, help=about, epilog=epilog, formatter_class=form)
        each.set_defaults(run=run)
        return each

    seeds, steps = _whole(10**6), _whole(10**9)
    table1 = command(_commands.table1, "the five polynomials of Table 1", TABLE_1_EPILOG)
    table1.add_argument("--seeds", type=seeds, default=15, help="runs of each loss and optimizer (default 15)")
    table1.add_argument("--steps", type=steps, default=15_000, help="optimizer steps of each run (default 15000)")
    table1.add_argument("--activation", choices=ACTIVATIONS, default="none", help="between the layers (default none)")
    table1.add_argument(
        "--gamma", type=_above, default=200.0, help="γ, the dead-end threshold; inf for none (default 200)"
    )
    table1.add_argument(
        "--delta", type=_finite, default=1e-4, help="δ, the change of the loss below which to turn (default 1e-4)"
    )
    table1.add_argument("--lr", type=_finite, default=0.01, help="λ, the learning rate (default 0.01)")

    table2 = command(_commands.table2, "the colour correction of Table 2", TABLE_2_EPILOG)
    table2.add_argument("--source", type=Path, metavar="PHOTO", help="correct this photograph instead of the twelve")
    table2.add_argument("--target", type=Path, metavar="PHOTO", help="towards the mean colour of this one")
    table2.add_argument("--seeds", type=_seed, action=_Different, nargs="+", default=[5343, 100, 2534, 3956],
                        metavar="SEED",
                        help="of the initial weights (default: the paper's 5343 100 2534 3956)")  # fmt: skip
    table2.add_argument("--steps", type=steps, default=1000, help="optimizer steps of each run (default 1000)")
    table2.add_argument("--out", type=Path, metavar="FOLDER", help="write the corrected photographs and gains there")

    about = "Table 1 under every reading of what the paper leaves open"
    readings = command(_commands.readings, about, READINGS_EPILOG)
    readings.add_argument("--seeds", type=seeds, default=60, help="runs of each cell (default 60)")
    readings.add_argument("--steps", type=steps, default=15_000, help="optimizer steps of each run (default 15000)")

    race = command(_commands.race, "the book's race, of everybody on every course", RACE_EPILOG)
    race.add_argument("--runs", type=seeds, default=1000, help="starts of each race (default 1000)")
    race.add_argument("--tuning-runs", type=seeds, default=200, help="starts of the races that tune (default 200)")
    race.add_argument("--evaluations", type=steps, default=2000, help="of the loss in each run (default 2000)")
    race.add_argument("--resume", type=_rows, metavar="FILE", help="take the rows that are in FILE as they are")

    about = "the championship, of everybody on BBOB's functions and six more"
    championship = command(_commands.championship, about, CHAMPIONSHIP_EPILOG)
    championship.add_argument("--budget", type=_whole(10**6), default=1000,
                              help="evaluations of each run for each variable (default 1000)")  # fmt: skip
    championship.add_argument("--dimensions", type=int, choices=(2, 3, 5, 10, 20, 40), action=_Different, nargs="+",
                              default=[2, 3], help="numbers of variables (default 2 3)")  # fmt: skip
    championship.add_argument("--resume", type=_championship_rows, metavar="FILE",
                              help="take the rows that are in FILE as they are")  # fmt: skip

    about = "both experiments and the digits, with the rule that tunes itself"
    again = command(_commands.again, about, AGAIN_EPILOG)
    again.add_argument("--resume", type=_again_rows, metavar="FILE", help="take the rows that are in FILE as they are")

    for each, threads in ((table1, 1), (table2, 2), (readings, 1), (race, 1), (championship, 1), (again, 1)):
        device = _device(torch.float32 if each is table2 else torch.float64)
        default = "the CPU with numba, else the GPU" if each in (table1, readings) else "the GPU"
        if each not in (championship, again):  # which know no device: COCO's functions, and what is compiled
            each.add_argument("--device", type=device, help=f"cpu, cuda, … (default: {default} where there is one)")
        each.add_argument("--threads", type=_whole(1024), default=threads, help=f"CPU threads (default {threads})")
        each.add_argument("--json", type=_file, metavar="FILE",
                          help="also write the rows to FILE; - is standard output, and the table then goes to "
                          "standard error")  # fmt: skip
    return parser


def _whole(most: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not a positive whole number up to {most:,}")
        return int(text)

    return whole


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**64:
        raise argparse.ArgumentTypeError(f"{text} is not a seed, a whole number from 0 to 2^64 - 1")
    return int(text)


class _Different(argparse.Action):
    """Keep values that all differ: the same run counted twice would narrow the intervals."""

    def __call__(self, parser, options, values, name=None):
        for value in values:
            if values.count(value) > 1:
                raise argparse.ArgumentError(self, f"{value} is there twice")
        setattr(options, self.dest, values)


def _finite(text: str) -> float:
    number = _number(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a finite number >= 0")
    return number


def _above(text: str) -> float:
    number = _number(text)
    if not number > -math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number above -inf")
    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a number") from None


def _championship_rows(text: str) -> list[dict]:
    rows = _read(text)
    if not isinstance(rows, list) or not all(map(_is_of_a_championship, rows)):
        raise argparse.ArgumentTypeError(f"{text} does not have the rows of a championship")
    names = [(row["contestant"], row["variables"]) for row in rows]
    if len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f"{text} has a contestant twice with one number of variables")
    return rows


def _is_of_a_championship(row) -> bool:
    runs = len(FUNCTIONS) * len(INSTANCES)
    return (
        isinstance(row, dict)
        and row.get("contestant") in CONTESTANTS
        and isinstance(row.get("variables"), int)
        and isinstance(row.get("kept"), str)
        and len(row["kept"].split()) == runs
        and all(
            isinstance(costs, str)
            and costs.count("/") == runs - 1
            and all(each.isdecimal() for each in costs.replace("/", " ").split())
            for costs in (row.get("costs"), row.get("charged") or row.get("costs"))
        )
    )


def _again_rows(text: str) -> list[dict]:
    rows = _read(text)
    if not isinstance(rows, list) or not all(map(_is_of_again, rows)):
        raise argparse.ArgumentTypeError(f"{text} does not have the rows of these experiments")
    names = [key_of(row) for row in rows]
    if len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f"{text} has a row twice")
    return rows


def _is_of_again(row) -> bool:
    names = ("experiment", "case", "contender")
    if not isinstance(row, dict) or not all(isinstance(row.get(name), str) for name in names):
        return False
    measures = row.get("measures")
    known = key_of(row) in keys() and isinstance(measures, dict)
    return known and all(isinstance(values, list) and values for values in measures.values())


def _read(text: str):
    try:
        return json.loads(Path(text).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from None


def _rows(text: str) -> list[dict]:
    rows = _read(text)
    if not isinstance(rows, list) or not all(map(_is_of_a_race, rows)):
        raise argparse.ArgumentTypeError(f"{text} does not have the rows of a race")
    names = [(row["course"], row["contender"]) for row in rows]
    if len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f"{text} has a contender twice on one course")
    return rows


def _is_of_a_race(row) -> bool:
    known = {"course": COURSES, "contender": (*RACE_CONTENDERS, *SEARCHERS)}
    return (
        isinstance(row, dict)
        and all(row.get(key) in names for key, names in known.items())
        and isinstance(row.get("evaluations"), str)
        and all(each == "-" or each.isdecimal() for each in row["evaluations"].split())
    )


def _device(dtype: torch.dtype) -> Callable[[str], str]:
    def device(text: str) -> str:
        try:
            torch.zeros(1, dtype=dtype, device=text).item()
        except (RuntimeError, AssertionError, TypeError) as error:
            raise argparse.ArgumentTypeError(f"{text}: {str(error).splitlines()[0]}") from None
        return text

    return device


def _file(text: str) -> Path | TextIO:
    """A file, or the stream that ``-``, ``/dev/stdout`` or ``/dev/stderr`` is, or that goes into that file."""
    if text == "-":
        if sys.stdout is None:
            raise argparse.ArgumentTypeError("standard output is closed")
        return sys.stdout
    path = Path(text)
    try:
        check_file(path)
    except OSError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    for stream in (sys.stdout, sys.stderr):
        try:
            if os.path.samestat(os.stat(path), os.fstat(stream.fileno())):
                return stream
        except (OSError, AttributeError):  # no such file, or no such stream
            continue
    return path
