"""Experiment 1 in the reader's hands."""

import math

import ipywidgets as widgets

from hilladam.experiments import ACTIVATIONS, table1
from hilladam.figures import side_by_side
from hilladam.losses import TABLE_1
from hilladam.widgets._panel import panel, png


def polynomial_panel(loss: str = "sixth", steps: int = 1000) -> widgets.VBox:
    """A panel that reruns one polynomial of Table 1 with a chosen δ, γ, λ, activation and seed.

    Args:
        loss: the key of the polynomial shown first, in :data:`hilladam.losses.TABLE_1`.
        steps: of each run, at least 1; a run of 1,000 takes about a second.

    Raises:
        ValueError: an unknown loss, or fewer than one step.

    Example:
        >>> from hilladam.widgets import polynomial_panel
        >>> controls, picture, verdict = polynomial_panel("eighth", steps=10).children
        >>> [control.description for control in controls.children]
        ['loss', 'activation', 'δ', 'γ', 'λ', 'seed']
    """
    if loss not in TABLE_1:
        raise ValueError(f"Invalid loss: {loss!r}; expected one of {tuple(TABLE_1)}")
    chosen = widgets.Dropdown(options=[(p.name, key) for key, p in TABLE_1.items()], value=loss, description="loss")
    activation = widgets.Dropdown(options=list(ACTIVATIONS), description="activation")
    delta = _powers("δ", -7, 0, -4)
    gamma = widgets.Dropdown(
        options=[("20", 20.0), ("50", 50.0), ("200", 200.0), ("∞", math.inf)], value=200.0, description="γ"
    )
    lr = _powers("λ", -3, 0, -2)
    seed = widgets.IntSlider(0, 0, 59, description="seed", continuous_update=False)
    controls = [chosen, activation, delta, gamma, lr, seed]
    box, picture, verdict = panel(controls)

    def rerun(_=None):
        runs = table1([seed.value], steps, lr.value, delta.value, gamma.value, activation.value,
                      losses=[chosen.value], history=True, device="cpu")  # fmt: skip
        alone = {optimizer: record.member(0) for (_, optimizer), record in runs.items()}
        picture.value = png(side_by_side(alone, TABLE_1[chosen.value]))
        verdict.value = " &nbsp; ".join(
            f"<b>{name}</b>: best {run.best_losses:.4f}, final {run.final_losses:.4f}" for name, run in alone.items()
        )

    for control in controls:
        control.observe(rerun, "value")
    rerun()
    return box


def _powers(name: str, low: int, high: int, value: int) -> widgets.FloatLogSlider:
    return widgets.FloatLogSlider(10.0**value, min=low, max=high, step=0.5, description=name, continuous_update=False)
