"""Optimizers that leave local minima. This floor of the package knows ``torch`` alone."""

from hilladam.optim._adaptive_hill_adam import AdaptiveHillAdam
from hilladam.optim._cool_momentum import COOLING_SCHEDULES, CoolMomentum, cooling
from hilladam.optim._course import COURSE_REASONS, Course, Verdict, steer
from hilladam.optim._hill_adam import HillAdam
from hilladam.optim._langevin import Langevin
from hilladam.optim._reference import ReferenceHillAdam
from hilladam.optim._simulated_annealing import ANNEALING_SCHEDULES, SimulatedAnnealing, annealing
from hilladam.optim._switching import REASONS, Decision, decide
from hilladam.optim._turning import Switch

__all__ = [
    "ANNEALING_SCHEDULES",
    "COOLING_SCHEDULES",
    "COURSE_REASONS",
    "REASONS",
    "AdaptiveHillAdam",
    "CoolMomentum",
    "Course",
    "Decision",
    "HillAdam",
    "Langevin",
    "ReferenceHillAdam",
    "SimulatedAnnealing",
    "Switch",
    "Verdict",
    "annealing",
    "cooling",
    "decide",
    "steer",
]
