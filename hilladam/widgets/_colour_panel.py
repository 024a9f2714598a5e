"""Experiment 2 in the reader's hands."""

import ipywidgets as widgets
import matplotlib.pyplot as plt

from hilladam import colour
from hilladam.experiments import TABLE_2_CONTENDERS, TABLE_2_SEEDS, table2
from hilladam.figures import colour_landscape
from hilladam.losses import ColourLoss, double_well
from hilladam.widgets._panel import jpeg, panel


def colour_panel(pair: int = 0, steps: int = 500) -> widgets.VBox:
    """A panel that corrects a photograph with a chosen optimizer and wells, and shows its path and its results.

    Args:
        pair: the index of the pair shown first, in :func:`~hilladam.colour.pairs`.
        steps: of each run, at least 1; a run of 500 takes about a second.

    Raises:
        ValueError: no such pair, or fewer than one step.

    Example:
        >>> from hilladam.widgets import colour_panel
        >>> controls, picture, verdict = colour_panel(pair=1, steps=2).children
        >>> verdict.value.count("loss")  # of the best gains and of the final ones
        2
    """
    pairs = colour.pairs()
    if pair not in range(len(pairs)):
        raise ValueError(f"Invalid pair: {pair}; expected 0 to {len(pairs) - 1}")
    chosen = widgets.Dropdown(options=[(each.name, i) for i, each in enumerate(pairs)], value=pair, description="pair")
    optimizer = widgets.Dropdown(options=list(TABLE_2_CONTENDERS), value="Adam", description="optimizer")
    seed = widgets.Dropdown(options=list(TABLE_2_SEEDS), description="seed")
    red = _slider("red well", 0.3, 1.5, 0.5)
    low = _slider("blue, low", 0.5, 1.9, 1.1)
    high = _slider("blue, high", 2.0, 3.5, 3.1)
    barrier = _slider("barrier", 0.1, 3.0, 1.0)
    tilt = _slider("tilt", -0.5, 0.5, 0.3)
    controls = [chosen, optimizer, seed, red, low, high, barrier, tilt]
    box, picture, verdict = panel(controls)
    picture.format = "jpeg"  # a tenth of the size, in which a notebook stores it

    def rerun(_=None):
        each = pairs[chosen.value]
        means = colour.channel_means(each.source), colour.channel_means(each.target)
        blue = double_well(low.value, high.value, barrier.value, tilt.value, level=2)
        loss = ColourLoss(*means, red=double_well(red.value - 2, red.value), blue=blue)
        runs = table2({each.name: loss}, [seed.value], steps, optimizers=[optimizer.value], device="cpu")
        run = runs[each.name, optimizer.value].member(0)
        corrected = {"best": run.best_states, "final": run.final_states}
        images = [colour.apply_gains(each.source, gains) for gains in corrected.values()]
        picture.value = jpeg(_draw(loss, run, [each.source, *images], ["source", *corrected]))
        verdict.value = "<br>".join(
            f"<b>{name}</b>: loss {value:.4f}, gains ({', '.join(f'{gain:.2f}' for gain in gains)}), "
            f"ΔE {colour.difference(image, each.original):.1f} to the photograph without the cast"
            for (name, gains), value, image in zip(corrected.items(), (run.best_losses, run.final_losses), images,
                                                   strict=True)
        )  # fmt: skip

    for control in controls:
        control.observe(rerun, "value")
    rerun()
    return box


def _slider(name: str, low: float, high: float, value: float) -> widgets.FloatSlider:
    return widgets.FloatSlider(value, min=low, max=high, step=0.1, description=name, continuous_update=False)


@plt.style.context("hilladam.figures.hilladam")
def _draw(loss, run, images, names):
    """The landscape with the path, and the photographs under each other beside it."""
    figure, axes = plt.subplot_mosaic([["map", name] for name in names], figsize=(8.6, 4.6), width_ratios=[3.4, 1])
    colour_landscape(loss, {"run": run}, ax=axes["map"])
    for name, image in zip(names, images, strict=True):
        axes[name].imshow(image)
        axes[name].set_axis_off()
        axes[name].set_title(name)
    return figure
