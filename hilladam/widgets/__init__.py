"""Panels for notebooks, which rerun Python, and explorers, which run in the page with no kernel."""

from hilladam.widgets.annealing import annealing_panel
from hilladam.widgets.colour import colour_panel
from hilladam.widgets.escape import escape_panel
from hilladam.widgets.hill import HILL_OPTIMIZERS, HillExplorer
from hilladam.widgets.phase import PhaseExplorer
from hilladam.widgets.polynomials import polynomial_panel
from hilladam.widgets.series import SeriesExplorer
from hilladam.widgets.wells import ColourExplorer

__all__ = [
    "HILL_OPTIMIZERS",
    "ColourExplorer",
    "HillExplorer",
    "PhaseExplorer",
    "SeriesExplorer",
    "annealing_panel",
    "colour_panel",
    "escape_panel",
    "polynomial_panel",
]
