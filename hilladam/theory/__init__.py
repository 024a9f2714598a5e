"""Equations 1–13 of the paper, derived by sympy and held to ``torch.optim.Adam``; and the updates of its neighbours."""

from hilladam.theory._absolute_value import overshoot_in_steps, overshoot_of_absolute_value
from hilladam.theory._agreement import Agreement, agreement, boundary_band
from hilladam.theory._averages import mean_lag, moving_average, weight_matrix, weights
from hilladam.theory._climb import Climb, climb
from hilladam.theory._enclosure import Enclosure, enclose_return
from hilladam.theory._escape import (
    OnAdamsPath,
    continuous_limit,
    energy_rule,
    equation_13,
    equation_13_on_adams_path,
    equidistant,
    path_average,
    sweep_path,
    sweeps,
    turning_points,
)
from hilladam.theory._first_pass import Passes, adam_path, first_pass, torch_first_pass
from hilladam.theory._hill import Hill, fading_step, half_swing, hill, hills, overshoot_threshold, second_change
from hilladam.theory._legs import Leg, leg, turns
from hilladam.theory._replay import record, replay
from hilladam.theory._return_map import Fate, Round, fate, return_map
from hilladam.theory._series import equidistant_gradients, momentum_series, step_size_series, variance_series
from hilladam.theory._steps import extremal_gradients, largest_step, step_series, step_supremum
from hilladam.theory._updates import (
    State,
    adam,
    nadam,
    nadam_momentum,
    radam,
    rectification,
    rmsprop,
    sgd,
)
from hilladam.theory._way_out import WayOut, way_out
from hilladam.theory.derivations import Unrolled, lag_error, step_ceiling, unroll, weight, weighted_sum

__all__ = [
    "Agreement",
    "Climb",
    "Enclosure",
    "Fate",
    "Hill",
    "Leg",
    "OnAdamsPath",
    "Passes",
    "Round",
    "State",
    "Unrolled",
    "WayOut",
    "adam",
    "adam_path",
    "agreement",
    "boundary_band",
    "climb",
    "continuous_limit",
    "enclose_return",
    "energy_rule",
    "equation_13",
    "equation_13_on_adams_path",
    "equidistant",
    "equidistant_gradients",
    "extremal_gradients",
    "fading_step",
    "fate",
    "first_pass",
    "half_swing",
    "hill",
    "hills",
    "lag_error",
    "largest_step",
    "leg",
    "mean_lag",
    "momentum_series",
    "moving_average",
    "nadam",
    "nadam_momentum",
    "overshoot_in_steps",
    "overshoot_of_absolute_value",
    "overshoot_threshold",
    "path_average",
    "radam",
    "record",
    "rectification",
    "replay",
    "return_map",
    "rmsprop",
    "second_change",
    "sgd",
    "step_ceiling",
    "step_series",
    "step_size_series",
    "step_supremum",
    "sweep_path",
    "sweeps",
    "torch_first_pass",
    "turning_points",
    "turns",
    "unroll",
    "variance_series",
    "way_out",
    "weight",
    "weight_matrix",
    "weighted_sum",
    "weights",
]
