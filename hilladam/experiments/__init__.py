"""The paper's experiments, rerun: many independent runs in lock step on one device."""

from hilladam.experiments.models import ACTIVATIONS, Points, StackedMLP, network
from hilladam.experiments.polynomials import decode_mean, readings, summarize, table1
from hilladam.experiments.training import Record, train

__all__ = [
    "ACTIVATIONS",
    "Points",
    "Record",
    "StackedMLP",
    "decode_mean",
    "network",
    "readings",
    "summarize",
    "table1",
    "train",
]
