"""Optimizers that leave local minima. This floor of the package knows ``torch`` alone."""

from hilladam.optim.cool_momentum import COOLING_SCHEDULES, CoolMomentum, cooling
from hilladam.optim.hill_adam import HillAdam, Switch
from hilladam.optim.langevin import Langevin
from hilladam.optim.reference import ReferenceHillAdam
from hilladam.optim.simulated_annealing import ANNEALING_SCHEDULES, SimulatedAnnealing, annealing
from hilladam.optim.switching import REASONS, Decision, decide

__all__ = [
    "ANNEALING_SCHEDULES",
    "COOLING_SCHEDULES",
    "REASONS",
    "CoolMomentum",
    "Decision",
    "HillAdam",
    "Langevin",
    "ReferenceHillAdam",
    "SimulatedAnnealing",
    "Switch",
    "annealing",
    "cooling",
    "decide",
]
