"""Panels for notebooks: move a control, and the run is done again."""

from hilladam.widgets.polynomials import polynomial_panel

__all__ = ["polynomial_panel"]
