"""The book's figures: each takes a loss or the record of a run and returns a matplotlib figure, in one style."""

from hilladam.figures.colour import colour_landscape, photographs
from hilladam.figures.curves import on_the_curve, side_by_side, stationary_points, trajectory
from hilladam.figures.network import network
from hilladam.figures.phase import climb_diagram, phase_diagram, phase_diagrams
from hilladam.figures.race import paths, reached
from hilladam.figures.style import COLOURS, use_style

use_style()

__all__ = [
    "COLOURS",
    "climb_diagram",
    "colour_landscape",
    "network",
    "on_the_curve",
    "paths",
    "phase_diagram",
    "phase_diagrams",
    "photographs",
    "reached",
    "side_by_side",
    "stationary_points",
    "trajectory",
    "use_style",
]
