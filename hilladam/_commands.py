"""The experiments that a shell can run.

Each takes the options of its command and checks what can be wrong with them. Then it returns an iterator, which does
the work and yields all results so far whenever there is more that is complete.
"""

import argparse
import itertools
import json
import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from hilladam._files import check_file, replacing


@dataclass
class Result:
    """What an experiment found."""

    table: pd.DataFrame
    """What is shown."""
    rows: pd.DataFrame
    """What ``--json`` writes."""
    complete: str
    """How much of the whole it is."""
    files: Mapping[Path, Callable[[], None]] = field(default_factory=dict)
    """What else is to be written, with functions that do so."""


def table1(options: argparse.Namespace) -> Iterator[Result]:
    from hilladam.experiments import summarize, table1

    def work():
        with _interruptions() as interruptions:
            runs = table1(range(options.seeds), options.steps, options.lr, options.delta, options.gamma,
                          options.activation, device=options.device, threads=options.threads,
                          progress=True)  # fmt: skip
        table = summarize(runs)
        # All runs have come as far, and so the table is that of fewer steps.
        yield Result(table, table, "; ".join(interruptions))
        if interruptions:
            raise KeyboardInterrupt

    return work()


def table2(options: argparse.Namespace) -> Iterator[Result]:
    from hilladam import colour
    from hilladam.colour._images import opened, square
    from hilladam.experiments import TABLE_2_CONTENDERS, summarize_table2, table2, tabulate
    from hilladam.losses import ColourLoss

    if (options.source is None) != (options.target is None):
        raise ValueError("--source and --target go together: give both photographs or neither")
    if options.source is None:
        images = {pair.name: (pair.source, pair.target) for pair in colour.pairs()}
        photographs = {name: source for name, (source, _) in images.items()}
    else:
        photographs = {options.source.stem: opened(options.source)}
        images = {name: (square(photo, 256), colour.load(options.target)) for name, photo in photographs.items()}
    losses = {
        name: ColourLoss(colour.channel_means(source), colour.channel_means(target))
        for name, (source, target) in images.items()
    }
    inputs = [path for path in (options.source, options.target) if path]
    if isinstance(options.json, Path):
        _keep_apart(options.json, inputs)
    corrected = {}
    if options.out:
        corrected = {key: options.out / _name(*key) for key in itertools.product(losses, TABLE_2_CONTENDERS)}
        _prepare(options.out, [*corrected.values(), options.out / "gains.json"], [*inputs, options.json])

    def work():
        tables = []
        for number, name in enumerate(TABLE_2_CONTENDERS, 1):
            runs = table2(losses, options.seeds, options.steps, optimizers=[name], history=False,
                          device=options.device, progress=True)  # fmt: skip
            tables.append(tabulate(runs, losses, options.seeds))
            rows = pd.concat(tables, ignore_index=True)
            files = _corrections(rows, photographs, corrected, options.out) if options.out else {}
            complete = f"{number} of {len(TABLE_2_CONTENDERS)} optimizers"
            yield Result(summarize_table2(rows), rows, complete, files)

    return work()


def readings(options: argparse.Namespace) -> Iterator[Result]:
    from hilladam.experiments import ACTIVATIONS, readings

    def work():
        tables = []
        for number, activation in enumerate(ACTIVATIONS, 1):
            tables.append(readings(range(options.seeds), options.steps, activations=[activation],
                                   device=options.device, threads=options.threads, progress=True))  # fmt: skip
            table = pd.concat(tables, ignore_index=True)
            yield Result(table, table, f"{number} of {len(ACTIVATIONS)} activations")

    return work()


def race(options: argparse.Namespace) -> Iterator[Result]:
    from tqdm.auto import tqdm

    from hilladam._extras import extra
    from hilladam.experiments import COURSES, RACE_CONTENDERS, SEARCHERS, race_results

    with extra("search"):  # before hours of work, not after
        import cma  # noqa: F401
        import nlopt  # noqa: F401

    rows = options.resume or []
    for row in rows:
        runs = len(row["evaluations"].split())
        if runs != options.runs:
            raise ValueError(
                f"--resume has {runs} runs of {row['contender']} on {row['course']}, and --runs asks for {options.runs}"
            )
    done = [(row["course"], row["contender"]) for row in rows]
    count = len(COURSES) * (len(RACE_CONTENDERS) + len(SEARCHERS))

    def result():
        table = pd.DataFrame(rows)
        success = [1 - row["evaluations"].split().count("-") / options.runs for row in rows]
        shares = table.assign(success=success).pivot(index="contender", columns="course", values="success")
        shares = shares.reindex(table["contender"].unique())[table["course"].unique()]  # pivot sorts by name
        return Result(shares, table, f"{len(rows)} of {count} contenders and courses")

    def work():
        new = race_results(done, runs=options.runs, tuning_runs=options.tuning_runs, evaluations=options.evaluations,
                           device=options.device)  # fmt: skip
        for row in tqdm(new, desc="race", initial=len(rows), total=count, leave=False):
            rows.append(row)
            yield result()
        yield result()

    return work()


def championship(options: argparse.Namespace) -> Iterator[Result]:
    from tqdm.auto import tqdm

    from hilladam._extras import extra
    from hilladam.experiments import CONTESTANTS, championship_results, score
    from hilladam.experiments._championship import standing_of

    with extra("search"):  # before minutes of work, not after
        import cma  # noqa: F401
        import nlopt  # noqa: F401
    with extra("benchmark"):
        import cocoex  # noqa: F401

    rows = options.resume or []
    done = [(row["contestant"], row["variables"]) for row in rows]
    count = len(CONTESTANTS) * len(options.dimensions)

    def result():
        standings = [standing_of(row) for row in rows]
        budgets = [options.budget * row["variables"] for row in rows]
        told = pd.DataFrame({
            "contestant": [row["contestant"] for row in rows], "variables": [row["variables"] for row in rows],
            "free": [score(each.costs[:24], most).mean() for each, most in zip(standings, budgets, strict=True)],
            "charged": [score(each.charged[:24], most).mean() for each, most in zip(standings, budgets, strict=True)],
        })  # fmt: skip
        scores = told.pivot(index="contestant", columns="variables", values=["free", "charged"])
        scores = scores.reindex(told["contestant"].unique())  # pivot sorts by name
        return Result(scores, pd.DataFrame(rows), f"{len(rows)} of {count} contestants and dimensions")

    def work():
        new = championship_results(done, dimensions=options.dimensions, budget=options.budget)
        for row in tqdm(new, desc="championship", initial=len(rows), total=count, leave=False):
            rows.append(row)
            yield result()
        yield result()

    return work()


def again(options: argparse.Namespace) -> Iterator[Result]:
    from tqdm.auto import tqdm

    from hilladam import colour  # noqa: F401  # before minutes of work, not after
    from hilladam._extras import extra
    from hilladam.experiments import again_results
    from hilladam.experiments._again import key_of, keys, measures_of

    with extra("fast"):
        import numba  # noqa: F401
    with extra("digits"):
        import sklearn  # noqa: F401

    rows = options.resume or []
    done, count = [key_of(row) for row in rows], len(keys())

    def result():
        names = ["experiment", "case", "contender", "reached", "best"]
        shown = []
        for row in rows:
            found = measures_of(row)
            reached = found["reached"].mean() if "reached" in found else math.nan
            best = float(pd.Series(found["best"]).median()) if "best" in found else math.nan
            shown.append([*key_of(row), reached, best])
        table = pd.DataFrame(shown, columns=names).set_index(names[:3])
        return Result(table, pd.DataFrame(rows), f"{len(rows)} of {count} rows")

    def work():
        new = again_results(done)
        for row in tqdm(new, desc="again", initial=len(rows), total=count, leave=False):
            rows.append(row)
            yield result()
        yield result()

    return work()


def to_json(rows: Any) -> bytes:
    """Rows as JSON in UTF-8. It has no infinite or missing numbers: they become strings and nulls."""
    text = json.dumps(_plain(rows), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", "backslashreplace")  # file names may hold bytes that are no UTF-8: JSON escapes them


def _plain(value):
    if isinstance(value, pd.DataFrame):
        rows = value.reset_index().to_dict("records")
        return [_plain({key: each for key, each in row.items() if key != "index"}) for row in rows]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


@contextmanager
def _interruptions() -> Iterator[list[str]]:
    """Collect what the training says when Ctrl-C ends it before its time; other warnings are shown as ever."""
    found: list[str] = []
    with warnings.catch_warnings():
        show = warnings.showwarning

        def note(message, category, *place, **more):
            if str(message).startswith("Interrupted: "):
                found.append(str(message).removeprefix("Interrupted: "))
            else:
                show(message, category, *place, **more)

        warnings.filterwarnings("always", "Interrupted", RuntimeWarning)
        warnings.showwarning = note
        yield found


def _name(pair: str, optimizer: str) -> str:
    return f"{pair}, {optimizer}.png".replace(" ", "-").replace(",", "")


def _prepare(folder: Path, files: list[Path], others: list) -> None:
    """Make the folder, and refuse before the work what could not be written there, or would overwrite another file."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        check_file(file)
        _keep_apart(file, [other for other in others if isinstance(other, Path)])


def _keep_apart(file: Path, others: list[Path]) -> None:
    for other in others:
        same_name = os.path.normcase(os.path.realpath(file)) == os.path.normcase(os.path.realpath(other))
        if same_name or (file.exists() and other.exists() and file.samefile(other)):
            raise ValueError(f"{file} would be written over {other}")


def _corrections(rows: pd.DataFrame, photographs, corrected: Mapping[tuple[str, str], Path],
                 folder: Path) -> dict[Path, Callable[[], None]]:  # fmt: skip
    """For each pair and optimizer, the photograph with the gains of the run that had the lowest loss."""
    from hilladam.colour._images import write

    best = rows.loc[rows.groupby(["pair", "optimizer"], sort=False)["best"].idxmin()]
    files: dict[Path, Callable[[], None]] = {}
    found = {}
    for row in best.to_dict("records"):
        gains = [row["best_red"], row["best_green"], row["best_blue"]]
        path = corrected[row["pair"], row["optimizer"]]
        files[path] = partial(write, photographs[row["pair"]], path, gains)
        found[path.name] = {key: row[key] for key in ("pair", "optimizer", "seed", "best", "best_well")} | {
            "gains": gains
        }
    return files | {folder / "gains.json": partial(write_json, folder / "gains.json", found)}


def write_json(path: Path, rows: Any) -> None:
    """Write :func:`to_json`'s bytes, wholly or not at all."""
    with replacing(path) as file:
        file.write(to_json(rows))
