"""The paper's experiments, rerun: many independent runs in lock step on one device."""

from hilladam.experiments.models import ACTIVATIONS, Points, StackedMLP, network
from hilladam.experiments.polynomials import PAPER_TABLE_1, decode_mean, readings, stored_readings, summarize, table1
from hilladam.experiments.restarts import gradients_to, restarted
from hilladam.experiments.training import Record, train

__all__ = [
    "ACTIVATIONS",
    "PAPER_TABLE_1",
    "Points",
    "Record",
    "StackedMLP",
    "decode_mean",
    "gradients_to",
    "network",
    "readings",
    "restarted",
    "stored_readings",
    "summarize",
    "table1",
    "train",
]
