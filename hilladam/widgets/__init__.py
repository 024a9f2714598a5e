"""Panels for notebooks: move a control, and the run is done again."""

from hilladam.widgets.annealing import annealing_panel
from hilladam.widgets.colour import colour_panel
from hilladam.widgets.escape import escape_panel
from hilladam.widgets.polynomials import polynomial_panel

__all__ = ["annealing_panel", "colour_panel", "escape_panel", "polynomial_panel"]
