"""Panels for notebooks, which rerun Python, and explorers, which run in the page with no kernel."""

from hilladam._extras import extra

with extra("widgets"):
    from hilladam.widgets._climb_explorer import ClimbExplorer
    from hilladam.widgets._colour_explorer import ColourExplorer
    from hilladam.widgets._colour_panel import colour_panel
    from hilladam.widgets._heat_explorer import HeatExplorer
    from hilladam.widgets._hill_explorer import HillExplorer
    from hilladam.widgets._phase_explorer import PhaseExplorer
    from hilladam.widgets._polynomial_panel import polynomial_panel
    from hilladam.widgets._return_map_explorer import ReturnMapExplorer
    from hilladam.widgets._series_explorer import SeriesExplorer

__all__ = [
    "ClimbExplorer",
    "ColourExplorer",
    "HeatExplorer",
    "HillExplorer",
    "PhaseExplorer",
    "ReturnMapExplorer",
    "SeriesExplorer",
    "colour_panel",
    "polynomial_panel",
]
