"""The colour panel shows what the chosen run gives."""

from hilladam import colour
from hilladam.experiments import table2
from hilladam.losses import ColourLoss, double_well
from hilladam.widgets import colour_panel


def test_the_verdict_follows_the_controls():
    panel = colour_panel(pair=1, steps=30)
    grid, picture, verdict = panel.children
    chosen, optimizer, seed, red, low, _, barrier, _ = grid.children
    shown = {bytes(picture.value)}
    for control, value in ((chosen, 4), (optimizer, "RMSprop"), (seed, 100), (red, 0.9), (low, 0.8), (barrier, 2.0)):
        control.value = value
        shown.add(bytes(picture.value))
    assert len(shown) == 7 and all(jpeg.startswith(b"\xff\xd8") for jpeg in shown)

    pair = colour.pairs()[4]
    wells = double_well(0.8, 3.1, 2.0, 0.3, level=2)
    means = colour.channel_means(pair.source), colour.channel_means(pair.target)
    loss = ColourLoss(*means, red=double_well(0.9 - 2, 0.9), blue=wells)
    run = table2({"pair": loss}, [100], 30, optimizers=["RMSprop"], device="cpu")["pair", "RMSprop"].member(0)
    for kind in ("best", "final"):
        gains = getattr(run, f"{kind}_states")
        error = colour.difference(colour.apply_gains(pair.source, gains), pair.original)
        assert f"<b>{kind}</b>: loss {getattr(run, f'{kind}_losses'):.4f}" in verdict.value
        assert f"ΔE {error:.1f}" in verdict.value
