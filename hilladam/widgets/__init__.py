"""Panels for notebooks, which rerun Python, and explorers, which run in the page with no kernel."""

from hilladam._extras import extra

with extra("widgets"):
    from hilladam.widgets._annealing_panel import annealing_panel
    from hilladam.widgets._bar_code_explorer import BarCodeExplorer
    from hilladam.widgets._climb_explorer import ClimbExplorer
    from hilladam.widgets._colour_explorer import ColourExplorer
    from hilladam.widgets._colour_panel import colour_panel
    from hilladam.widgets._escape_panel import escape_panel
    from hilladam.widgets._hill_explorer import HillExplorer
    from hilladam.widgets._phase_explorer import PhaseExplorer
    from hilladam.widgets._return_map_explorer import ReturnMapExplorer
    from hilladam.widgets._series_explorer import SeriesExplorer
    from hilladam.widgets._training_explorer import TrainingExplorer

__all__ = [
    "BarCodeExplorer",
    "ClimbExplorer",
    "ColourExplorer",
    "HillExplorer",
    "PhaseExplorer",
    "ReturnMapExplorer",
    "SeriesExplorer",
    "TrainingExplorer",
    "annealing_panel",
    "colour_panel",
    "escape_panel",
]
