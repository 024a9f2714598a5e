"""Escape in the reader's hands: choose a loss, a start and Adam's settings, and see what was predicted."""

import math
from functools import cache

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np

from hilladam.figures import COLOURS, phase_diagram
from hilladam.losses import DOUBLE_WELL, TABLE_1
from hilladam.theory import adam_path, first_pass, sweep_path, sweeps, way_out
from hilladam.widgets._panel import panel, png

# Starts right of the double well's and the sixth order's barrier, left of the first barrier of the tenth order.
_CASES = {"double well": (DOUBLE_WELL, 1.2, 3.0, 2.0), "sixth order": (TABLE_1["sixth"], 0.1, 1.5, 0.6),
          "tenth order": (TABLE_1["tenth"], 0.6, 0.95, 0.8)}  # fmt: skip
_GRID = 21


def escape_panel(loss: str = "double well") -> widgets.VBox:
    """A panel with a run of Adam on its loss, the path predicted for it, and its place in the phase diagram.

    Args:
        loss: ``"double well"``, ``"sixth order"`` or ``"tenth order"``.

    Raises:
        ValueError: an unknown loss.

    Example:
        >>> from hilladam.widgets import escape_panel
        >>> controls, picture, verdict = escape_panel("double well").children
        >>> controls.children[2].description, controls.children[2].value
        ('λ / L', 0.05)
        >>> "escapes" in verdict.value or "stays" in verdict.value
        True
    """
    if loss not in _CASES:
        raise ValueError(f"Invalid loss: {loss!r}; expected one of {tuple(_CASES)}")
    chosen = widgets.Dropdown(options=list(_CASES), value=loss, description="loss")
    _, low, high, start = _CASES[loss]
    x0 = widgets.FloatSlider(start, min=low, max=high, step=0.05, description="x₀", continuous_update=False)
    lr = widgets.FloatLogSlider(0.05, min=-3, max=-0.4, step=0.1, description="λ / L", continuous_update=False)
    beta1 = widgets.SelectionSlider(options=[0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995], value=0.9, description="β₁",
                                    continuous_update=False)  # fmt: skip
    beta2 = widgets.SelectionSlider(options=[0.9, 0.99, 0.999], value=0.999, description="β₂", continuous_update=False)
    count = widgets.IntSlider(0, 0, 8, description="sweeps", continuous_update=False)
    controls = [x0, lr, beta1, beta2, count]
    box, picture, verdict = panel([chosen, *controls])

    def rerun(_=None):
        length = way_out(_CASES[chosen.value][0], x0.value).length
        figure, verdict.value = _draw(chosen.value, x0.value, lr.value * length, beta1.value, beta2.value, count.value)
        picture.value = png(figure)

    def another_loss(_):
        _, low, high, start = _CASES[chosen.value]
        x0.unobserve(rerun, "value")
        x0.min, x0.max = min(low, x0.min), max(high, x0.max)  # so that no moment has min above max
        x0.value = start
        x0.min, x0.max = low, high
        x0.observe(rerun, "value")
        rerun()

    chosen.observe(another_loss, "value")
    for control in controls:
        control.observe(rerun, "value")
    rerun()
    return box


@cache
def _truth(loss, x0, beta2):
    """The phase diagram of one loss and start: λ, β₁ and which cells escape."""
    f = _CASES[loss][0]
    length = way_out(f, x0).length
    lr, beta1 = np.geomspace(length / 1000, length / 2.5, _GRID), 1 - np.geomspace(0.5, 0.005, _GRID)
    return lr, beta1, first_pass(f, x0, None, lr, (beta1[:, None], beta2), steps=1200).first


@plt.style.context("hilladam.figures.hilladam")
def _draw(loss, x0, lr, beta1, beta2, count):
    f = _CASES[loss][0]
    way = way_out(f, x0)
    setting = (f, x0, None, lr, (beta1, beta2))
    steps = min(math.ceil(4 * way.length / lr), 1500)
    real = adam_path(*setting, steps)
    real = first_pass_only(way, real, real)
    predicted = first_pass_only(way, *sweep_path(*setting, steps, count=count + 1)[-2:])
    escapes = first_pass(*setting).first.item()
    said = sweeps(*setting, count=count).item()

    figure, (curve, diagram) = plt.subplots(1, 2, figsize=(9, 3.4), width_ratios=(3, 2))
    room = 0.25 * way.length
    x = np.linspace(*sorted((x0 - way.direction * room / 2, way.barrier + way.direction * room)), 400)
    curve.plot(x, f(x), color=COLOURS["loss"], linewidth=1.2)
    lift = 0.05 * np.ptp(f(x))
    runs = {"Adam": (real, "black"), f"{count} sweeps": (predicted, COLOURS["other"])}
    for number, (name, (path, colour)) in enumerate(runs.items(), start=1):
        path = path[(path > x[0]) & (path < x[-1])]
        curve.plot(path, f(path) + number * lift, ".-", color=colour, label=name)
    curve.axvline(way.barrier, color="black", linestyle="--", linewidth=1)
    curve.set(xlabel="x", ylabel="loss f(x)")
    curve.legend(loc="upper center")
    grid_lr, grid_beta1, truth = _truth(loss, x0, beta2)
    phase_diagram(truth, grid_lr, grid_beta1, ax=diagram, unit=way.length)
    diagram.plot(lr / way.length, 1 - beta1, marker="*", markersize=14, color=COLOURS["best"], markeredgecolor="black")
    words = {True: "escapes", False: "stays"}
    return figure, (f"<b>{count} sweeps</b> say: it {words[said]}. &nbsp; <b>Adam</b>, with λ = {lr:.4f}: "
                    f"it {words[escapes]}.")  # fmt: skip


def first_pass_only(way, path, called_for):
    """The path up to where it is beyond the top, or where the steps that it calls for first turn back."""
    steps = way.direction * np.diff(called_for)
    ends = np.flatnonzero((way.direction * (path[1:] - way.x0) > way.length) | (steps < 0))
    return path[: ends[0] + 2] if len(ends) else path
