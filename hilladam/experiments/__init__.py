"""The paper's experiments, rerun: many independent runs in lock step on one device."""

from hilladam.experiments._account import TARGETS, Account
from hilladam.experiments._again import again_results, stored_again
from hilladam.experiments._against_restarts import against_restarts, stored_against_restarts
from hilladam.experiments._bbob import GROUPS
from hilladam.experiments._budget import Budget, Spent
from hilladam.experiments._championship import (
    CONTESTANTS,
    FUNCTIONS,
    Standing,
    championship_results,
    contest,
    stored_championship,
)
from hilladam.experiments._classifier import DIGITS_SIZES
from hilladam.experiments._coincidences import coincidences
from hilladam.experiments._compiled import run_networks, run_points
from hilladam.experiments._compiled_landscapes import LADDER, Networks, Rule, SineBatches, run_landscapes
from hilladam.experiments._contenders import CONTENDERS, Contender
from hilladam.experiments._courses import COURSES, Course, course
from hilladam.experiments._digits import DIGITS_CONTENDERS, DIGITS_LR, DigitsRecord, digits, summarize_digits
from hilladam.experiments._digits_data import Digits, load_digits
from hilladam.experiments._digits_tuning import tune_digits
from hilladam.experiments._further_races import further_races, stored_further_races
from hilladam.experiments._intervals import cluster_interval, wilson_interval
from hilladam.experiments._limits import (
    ClimbEnds,
    LossSample,
    choose_by_half,
    climb_ends,
    limits,
    loss_sample,
    lowest_found,
    run_on_sample,
    stored_limits,
)
from hilladam.experiments._models import ACTIVATIONS, Points, StackedMLP, network
from hilladam.experiments._noisy_walks import noisy_walks, stored_noisy_walks
from hilladam.experiments._over_the_hill import Journey, journey, walk_over
from hilladam.experiments._protocol import RATES, Tuning, compare, difference_interval, holm, tune
from hilladam.experiments._race import RACE_CONTENDERS, Field, field, race, race_rates, search, standings
from hilladam.experiments._race_results import RaceResult, race_results, stored_race, tuned
from hilladam.experiments._restarts import RestartedAdam, gradients_to, restarted
from hilladam.experiments._scores import compare_scores, score
from hilladam.experiments._searchers import SEARCHERS
from hilladam.experiments._success_maps import MAPPED, MappedLoss, SuccessMap, stored_success_maps, success_map
from hilladam.experiments._table1 import (
    PAPER_TABLE_1,
    decode_chance,
    decode_mean,
    readings,
    stored_readings,
    summarize,
    table1,
)
from hilladam.experiments._table2 import (
    PAPER_TABLE_2,
    TABLE_2_CONTENDERS,
    TABLE_2_SEEDS,
    TABLE_2_SIZES,
    PositiveGains,
    stored_table2,
    stored_table2_rates,
    summarize_table2,
    table2,
    table2_rates,
    tabulate,
)
from hilladam.experiments._training import LossRule, Record, train
from hilladam.experiments._tuning_itself import DISTANCES, Ground, Outcome, ground, stored_tuning_itself, tuning_itself
from hilladam.experiments._walks import CELLS, FAR_WALKERS, WALKERS, Cell, stored_walks, walk_problem, walks

__all__ = [
    "ACTIVATIONS",
    "CELLS",
    "CONTENDERS",
    "CONTESTANTS",
    "COURSES",
    "DIGITS_CONTENDERS",
    "DIGITS_LR",
    "DIGITS_SIZES",
    "DISTANCES",
    "FAR_WALKERS",
    "FUNCTIONS",
    "GROUPS",
    "LADDER",
    "MAPPED",
    "PAPER_TABLE_1",
    "PAPER_TABLE_2",
    "RACE_CONTENDERS",
    "RATES",
    "SEARCHERS",
    "TABLE_2_CONTENDERS",
    "TABLE_2_SEEDS",
    "TABLE_2_SIZES",
    "TARGETS",
    "WALKERS",
    "Account",
    "Budget",
    "Cell",
    "ClimbEnds",
    "Contender",
    "Course",
    "Digits",
    "DigitsRecord",
    "Field",
    "Ground",
    "Journey",
    "LossRule",
    "LossSample",
    "MappedLoss",
    "Networks",
    "Outcome",
    "Points",
    "PositiveGains",
    "RaceResult",
    "Record",
    "RestartedAdam",
    "Rule",
    "SineBatches",
    "Spent",
    "StackedMLP",
    "Standing",
    "SuccessMap",
    "Tuning",
    "again_results",
    "against_restarts",
    "championship_results",
    "choose_by_half",
    "climb_ends",
    "cluster_interval",
    "coincidences",
    "compare",
    "compare_scores",
    "contest",
    "course",
    "decode_chance",
    "decode_mean",
    "difference_interval",
    "digits",
    "field",
    "further_races",
    "gradients_to",
    "ground",
    "holm",
    "journey",
    "limits",
    "load_digits",
    "loss_sample",
    "lowest_found",
    "network",
    "noisy_walks",
    "race",
    "race_rates",
    "race_results",
    "readings",
    "restarted",
    "run_landscapes",
    "run_networks",
    "run_on_sample",
    "run_points",
    "score",
    "search",
    "standings",
    "stored_again",
    "stored_against_restarts",
    "stored_championship",
    "stored_further_races",
    "stored_limits",
    "stored_noisy_walks",
    "stored_race",
    "stored_readings",
    "stored_success_maps",
    "stored_table2",
    "stored_table2_rates",
    "stored_tuning_itself",
    "stored_walks",
    "success_map",
    "summarize",
    "summarize_digits",
    "summarize_table2",
    "table1",
    "table2",
    "table2_rates",
    "tabulate",
    "train",
    "tune",
    "tune_digits",
    "tuned",
    "tuning_itself",
    "walk_over",
    "walk_problem",
    "walks",
    "wilson_interval",
]
