"""The paper's experiments, rerun: many independent runs in lock step on one device."""

from hilladam.experiments.colour import (
    COLOUR_OPTIMIZERS,
    COLOUR_SEEDS,
    COLOUR_SIZES,
    PAPER_TABLE_2,
    PositiveGains,
    stored_table2,
    summarize_colour,
    table2,
    tabulate,
)
from hilladam.experiments.models import ACTIVATIONS, Points, StackedMLP, network
from hilladam.experiments.polynomials import PAPER_TABLE_1, decode_mean, readings, stored_readings, summarize, table1
from hilladam.experiments.restarts import gradients_to, restarted
from hilladam.experiments.training import Record, train

__all__ = [
    "ACTIVATIONS",
    "COLOUR_OPTIMIZERS",
    "COLOUR_SEEDS",
    "COLOUR_SIZES",
    "PAPER_TABLE_1",
    "PAPER_TABLE_2",
    "Points",
    "PositiveGains",
    "Record",
    "StackedMLP",
    "decode_mean",
    "gradients_to",
    "network",
    "readings",
    "restarted",
    "stored_readings",
    "stored_table2",
    "summarize",
    "summarize_colour",
    "table1",
    "table2",
    "tabulate",
    "train",
]
