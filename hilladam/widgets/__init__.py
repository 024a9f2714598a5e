"""Explorers: they run in the page, or in a notebook, with no kernel behind them."""

from hilladam._extras import extra

with extra("widgets"):
    from hilladam.widgets._bar_code_explorer import BarCodeExplorer
    from hilladam.widgets._climb_explorer import ClimbExplorer
    from hilladam.widgets._colour_explorer import ColourExplorer
    from hilladam.widgets._course_explorer import CourseExplorer
    from hilladam.widgets._heat_explorer import HeatExplorer
    from hilladam.widgets._hill_explorer import HillExplorer
    from hilladam.widgets._map_explorer import MapExplorer
    from hilladam.widgets._phase_explorer import PhaseExplorer
    from hilladam.widgets._race_explorer import RaceExplorer
    from hilladam.widgets._return_map_explorer import ReturnMapExplorer
    from hilladam.widgets._series_explorer import SeriesExplorer
    from hilladam.widgets._success_map_explorer import SuccessMapExplorer
    from hilladam.widgets._training_explorer import TrainingExplorer

__all__ = [
    "BarCodeExplorer",
    "ClimbExplorer",
    "ColourExplorer",
    "CourseExplorer",
    "HeatExplorer",
    "HillExplorer",
    "MapExplorer",
    "PhaseExplorer",
    "RaceExplorer",
    "ReturnMapExplorer",
    "SeriesExplorer",
    "SuccessMapExplorer",
    "TrainingExplorer",
]
