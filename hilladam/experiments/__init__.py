"""The paper's experiments, rerun: many independent runs in lock step on one device."""

from hilladam.experiments._classifier import DIGITS_SIZES
from hilladam.experiments._coincidences import coincidences
from hilladam.experiments._compiled import run_networks, run_points
from hilladam.experiments._contenders import CONTENDERS, Contender
from hilladam.experiments._courses import COURSES, Course, course
from hilladam.experiments._digits import DIGITS_CONTENDERS, DIGITS_LR, DigitsRecord, digits, summarize_digits
from hilladam.experiments._digits_data import Digits, load_digits
from hilladam.experiments._digits_tuning import tune_digits
from hilladam.experiments._intervals import wilson_interval
from hilladam.experiments._models import ACTIVATIONS, Points, StackedMLP, network
from hilladam.experiments._race import RACE_CONTENDERS, race, standings
from hilladam.experiments._restarts import RestartedAdam, gradients_to, restarted
from hilladam.experiments._success_maps import MAPPED, MappedLoss, SuccessMap, stored_success_maps, success_map
from hilladam.experiments._table1 import PAPER_TABLE_1, decode_mean, readings, stored_readings, summarize, table1
from hilladam.experiments._table2 import (
    PAPER_TABLE_2,
    TABLE_2_CONTENDERS,
    TABLE_2_SEEDS,
    TABLE_2_SIZES,
    PositiveGains,
    stored_table2,
    summarize_table2,
    table2,
    tabulate,
)
from hilladam.experiments._training import Record, train
from hilladam.experiments._tuning import tune, tuned_rates

__all__ = [
    "ACTIVATIONS",
    "CONTENDERS",
    "COURSES",
    "DIGITS_CONTENDERS",
    "DIGITS_LR",
    "DIGITS_SIZES",
    "MAPPED",
    "PAPER_TABLE_1",
    "PAPER_TABLE_2",
    "RACE_CONTENDERS",
    "TABLE_2_CONTENDERS",
    "TABLE_2_SEEDS",
    "TABLE_2_SIZES",
    "Contender",
    "Course",
    "Digits",
    "DigitsRecord",
    "MappedLoss",
    "Points",
    "PositiveGains",
    "Record",
    "RestartedAdam",
    "StackedMLP",
    "SuccessMap",
    "coincidences",
    "course",
    "decode_mean",
    "digits",
    "gradients_to",
    "load_digits",
    "network",
    "race",
    "readings",
    "restarted",
    "run_networks",
    "run_points",
    "standings",
    "stored_readings",
    "stored_success_maps",
    "stored_table2",
    "success_map",
    "summarize",
    "summarize_digits",
    "summarize_table2",
    "table1",
    "table2",
    "tabulate",
    "train",
    "tune",
    "tune_digits",
    "tuned_rates",
    "wilson_interval",
]
