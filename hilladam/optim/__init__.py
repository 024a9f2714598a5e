"""Optimizers that leave local minima. This floor of the package knows ``torch`` alone."""

from hilladam.optim._adaptive_hill_adam import AdaptiveHillAdam
from hilladam.optim._cool_momentum import COOLING_SCHEDULES, CoolMomentum, cooling
from hilladam.optim._course import COURSE_REASONS, Course, Verdict, steer
from hilladam.optim._hill_adam import HillAdam
from hilladam.optim._langevin import Langevin
from hilladam.optim._over_the_hill import OverTheHill
from hilladam.optim._reference import ReferenceHillAdam
from hilladam.optim._simulated_annealing import ANNEALING_SCHEDULES, SimulatedAnnealing, annealing
from hilladam.optim._switching import REASONS, Decision, decide
from hilladam.optim._trek import MOVES, TREK_REASONS, Advice, Trek, guide
from hilladam.optim._turning import Switch

__all__ = [
    "ANNEALING_SCHEDULES",
    "COOLING_SCHEDULES",
    "COURSE_REASONS",
    "MOVES",
    "REASONS",
    "TREK_REASONS",
    "AdaptiveHillAdam",
    "Advice",
    "CoolMomentum",
    "Course",
    "Decision",
    "HillAdam",
    "Langevin",
    "OverTheHill",
    "ReferenceHillAdam",
    "SimulatedAnnealing",
    "Switch",
    "Trek",
    "Verdict",
    "annealing",
    "cooling",
    "decide",
    "guide",
    "steer",
]
