"""Rerun the paper's experiments from a shell: ``python -m hilladam table1 --help``."""

import argparse
import json
import os
import sys
import warnings
from pathlib import Path

import torch

TABLE_1_EPILOG = """\
Table 1 takes well under a minute on two cores. The table's means are over runs; `success` is the share of runs whose
best loss is within 0.01 of the global minimum, `low` and `high` its 95 % interval; `best_in` and `final_in` count the
runs in each basin, written as the loss at its bottom and the number of runs."""

TABLE_2_EPILOG = """\
All of Table 2 takes about two minutes on two cores. `best_excess` and `final_excess` are medians of the loss above the
global minimum; `best_global` and `final_global` the shares of runs within 0.01 of it, with 95 % intervals; `negative`
the share of runs that end with a negative gain. --json writes one row for each run, --out the corrected photographs
and gains.json."""


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        with warnings.catch_warnings():  # an interrupted run is no result
            warnings.filterwarnings("error", "Interrupted", RuntimeWarning)
            table, rows = options.run(options)
    except (KeyboardInterrupt, RuntimeWarning):
        print("\nInterrupted: nothing was written.", file=sys.stderr)
        return 130
    except (ValueError, OSError, argparse.ArgumentTypeError) as error:
        print(f"hilladam: {error}", file=sys.stderr)
        return 2
    print(table.to_string(float_format="{:.4f}".format))
    if options.json:
        _write(options.json, json.dumps(_rows(rows), indent=1, ensure_ascii=False) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    from hilladam.experiments import ACTIVATIONS

    parser = argparse.ArgumentParser(
        prog="python -m hilladam", description="Rerun the experiments of the Hill-ADAM paper."
    )
    commands = parser.add_subparsers(required=True, metavar="experiment")

    table1 = commands.add_parser("table1", help="the five polynomials of Table 1", epilog=TABLE_1_EPILOG)
    table1.add_argument("--seeds", type=_positive, default=15, help="runs of each loss and optimizer (default 15)")
    table1.add_argument("--steps", type=_positive, default=15_000, help="optimizer steps of each run (default 15000)")
    table1.add_argument("--activation", choices=ACTIVATIONS, default="none", help="between the layers (default none)")
    table1.add_argument(
        "--gamma", type=float, default=200.0, help="γ, the dead-end threshold; inf for none (default 200)"
    )
    table1.add_argument(
        "--delta", type=float, default=1e-4, help="δ, the change of the loss below which to turn (default 1e-4)"
    )
    table1.add_argument("--lr", type=float, default=0.01, help="λ, the learning rate (default 0.01)")
    table1.set_defaults(run=_table1)

    table2 = commands.add_parser("table2", help="the colour correction of Table 2", epilog=TABLE_2_EPILOG)
    table2.add_argument("--source", type=Path, metavar="PHOTO", help="correct this photograph instead of the twelve")
    table2.add_argument("--target", type=Path, metavar="PHOTO", help="towards the mean colour of this one")
    table2.add_argument("--seeds", type=_seed, nargs="+", default=[5343, 100, 2534, 3956], metavar="SEED",
                        help="of the initial weights (default: the paper's 5343 100 2534 3956)")  # fmt: skip
    table2.add_argument("--steps", type=_positive, default=1000, help="optimizer steps of each run (default 1000)")
    table2.add_argument("--out", type=Path, metavar="FOLDER", help="write the corrected photographs and gains there")
    table2.set_defaults(run=_table2)

    readings = commands.add_parser("readings", help="Table 1 under every reading of what the paper leaves open")
    readings.add_argument("--seeds", type=_positive, default=60, help="runs of each cell (default 60)")
    readings.add_argument("--steps", type=_positive, default=15_000, help="optimizer steps of each run (default 15000)")
    readings.set_defaults(run=_readings)

    tune = commands.add_parser("tune", help="the learning rates of the book's races")
    tune.add_argument("--runs", type=_positive, default=100, help="starts of each race (default 100)")
    tune.add_argument("--evaluations", type=_positive, default=1000, help="of the loss in each run (default 1000)")
    tune.set_defaults(run=_tune)

    for each, threads in ((table1, 1), (table2, 2), (readings, 1), (tune, 1)):
        each.add_argument("--device", type=_device, help="cpu, cuda, … (default: the GPU where there is one)")
        each.add_argument("--threads", type=_positive, default=threads, help=f"CPU threads (default {threads})")
        each.add_argument("--json", type=_file, metavar="FILE", help="also write the table to FILE")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive whole number")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**64:
        raise argparse.ArgumentTypeError(f"{text} is not a seed, a whole number from 0 to 2^64 - 1")
    return int(text)


def _device(text: str) -> str:
    try:
        torch.empty(0, device=text)
    except (RuntimeError, AssertionError) as error:
        raise argparse.ArgumentTypeError(f"{text}: {str(error).splitlines()[0]}") from None
    return text


def _file(text: str) -> Path:
    path = Path(text)
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.parent}")
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is a folder")
    _check_writable(path.parent)
    return path


def _check_writable(folder: Path) -> None:
    """Refuse before the work what would fail after it."""
    if not os.access(folder, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f"no permission to write into the folder {folder}")


def _table1(options):
    from hilladam.experiments import summarize, table1

    runs = table1(range(options.seeds), options.steps, options.lr, options.delta, options.gamma, options.activation,
                  device=options.device, progress=True)  # fmt: skip
    table = summarize(runs)
    return table, table


def _table2(options):
    from hilladam import colour
    from hilladam.experiments import summarize_table2, table2, tabulate
    from hilladam.losses import ColourLoss

    if (options.source is None) != (options.target is None):
        raise ValueError("--source and --target go together: give both photographs or neither")
    if options.source is None:
        pictures = {pair.name: (pair.source, pair.target, pair.source) for pair in colour.pairs()}
    else:
        small = colour.load(options.source), colour.load(options.target)
        pictures = {options.source.stem: (*small, colour.load(options.source, size=None))}
    losses = {
        name: ColourLoss(colour.channel_means(source), colour.channel_means(target))
        for name, (source, target, _) in pictures.items()
    }
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        _check_writable(options.out)
    rows = tabulate(table2(losses, options.seeds, options.steps, history=False, device=options.device, progress=True),
                    losses, options.seeds)  # fmt: skip
    if options.out:
        _write_corrected(options.out, rows, {name: picture for name, (_, _, picture) in pictures.items()})
    return summarize_table2(rows), rows


def _write_corrected(folder: Path, rows, pictures) -> None:
    """For each pair and optimizer, the photograph with the gains of the run that had the lowest loss."""
    from hilladam import colour

    best = rows.loc[rows.groupby(["pair", "optimizer"], sort=False)["best"].idxmin()]
    found = {}
    for row in best.to_dict("records"):
        gains = [row["best_red"], row["best_green"], row["best_blue"]]
        name = f"{row['pair']}, {row['optimizer']}.png".replace(" ", "-").replace(",", "")
        colour.save(colour.apply_gains(pictures[row["pair"]], gains), folder / name)
        found[name] = {key: row[key] for key in ("pair", "optimizer", "seed", "best", "best_well")} | {"gains": gains}
    _write(folder / "gains.json", json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def _readings(options):
    from hilladam.experiments import readings

    table = readings(range(options.seeds), options.steps, device=options.device, progress=True)
    return table, table


def _tune(options):
    import pandas as pd
    from tqdm.auto import tqdm

    from hilladam.experiments import COURSES, course, tune

    rows = []
    for key in tqdm(COURSES, desc="tune", leave=False):
        loss, box, target = course(key)
        rates = tune(loss, target, box, runs=options.runs, evaluations=options.evaluations, device=options.device)
        rows.append({"course": key, **rates})
    table = pd.DataFrame(rows).set_index("course")
    return table, table


def _rows(table) -> list[dict]:
    """The table as JSON objects; an infinite or missing number is a string or null, as JSON has neither."""
    rows = table.reset_index().to_dict("records")
    return [{key: _plain(value) for key, value in row.items() if key != "index"} for row in rows]


def _plain(value):
    if isinstance(value, float) and value != value:
        return None
    return "inf" if value == float("inf") else value


def _write(path: Path, text: str) -> None:
    """Write the whole file or nothing of it."""
    draft = path.with_name(path.name + ".part")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
