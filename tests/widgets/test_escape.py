"""The escape panel says of every setting what theory says of it."""

import pytest

from hilladam.theory import first_pass, sweeps, way_out
from hilladam.widgets import escape_panel
from hilladam.widgets._escape_panel import _CASES

WORDS = {True: "escapes", False: "stays"}


@pytest.mark.parametrize("loss", _CASES)
def test_the_verdict_follows_the_controls(loss):
    panel = escape_panel()
    grid, picture, verdict = panel.children
    chosen, x0, lr, beta1, _, count = grid.children
    first = bytes(picture.value)
    chosen.value, lr.value, beta1.value, count.value = loss, 0.1, 0.95, 2
    f, low, high, start = _CASES[loss]
    assert (x0.min, x0.max, x0.value) == (low, high, start)
    setting = (f, start, None, 0.1 * way_out(f, start).length, (0.95, 0.999))
    assert f"<b>2 sweeps</b> say: it {WORDS[sweeps(*setting, count=2).item()]}." in verdict.value
    assert verdict.value.endswith(f"it {WORDS[first_pass(*setting).first.item()]}.")
    assert bytes(picture.value).startswith(b"\x89PNG")
    assert bytes(picture.value) != first


def test_every_extreme_of_the_controls_draws():
    panel = escape_panel("tenth order")
    grid, picture, _ = panel.children
    chosen, x0, lr, *_ = grid.children
    for loss in (*_CASES, *reversed(_CASES)):
        chosen.value = loss
        for slider, end in ((x0, x0.min), (x0, x0.max), (lr, 10**lr.min), (lr, 10**lr.max)):
            slider.value = end
            assert bytes(picture.value).startswith(b"\x89PNG")
