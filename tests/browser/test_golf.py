"""Escape golf: the page counts the gradients of the run that it shows, and believes no score."""

import re

import numpy as np
import pytest
from gestures import unfold
from planting import trait
from playwright.sync_api import expect

from hilladam.widgets import HillExplorer

OPEN = dict(loss="sixth", start=0.1, delta=1e-3, steps=300, golf=True)


def gradients(**settings):
    """How many gradients the package needs."""
    explorer = HillExplorer(**OPEN | settings)
    values = [point.value for point in explorer.polynomial.stationary_points]
    gate = min(values) + 0.01 * (max(values) - min(values))
    return int(np.flatnonzero(explorer.run()["Hill-ADAM"].losses < gate)[0])


def card(page):
    return page.locator("p.golf")


def test_the_run_itself_counts(plant):
    page = plant(fig=HillExplorer(**OPEN))
    expect(card(page)).to_contain_text(f"after {gradients()} gradients. Your fewest so far.")
    page.evaluate("models.fig.set({ delta: 0.032, gamma: 18, beta2: 0 })")
    fewest = gradients(delta=0.032, gamma=18.0, beta2=0.0)
    assert fewest < gradients()
    expect(card(page)).to_contain_text(f"after {fewest} gradients. Your fewest so far.")
    page.evaluate("models.fig.set('delta', 0.001)")
    expect(card(page)).to_contain_text(f"Your fewest so far: {fewest}.")
    card(page).get_by_role("button").click()
    assert trait(page, "delta") == 0.032
    expect(card(page)).to_contain_text(f"after {fewest} gradients")
    page.evaluate("models.fig.set('start', -0.4)")  # another hole
    expect(card(page)).not_to_contain_text(f"fewest so far: {fewest}")


def test_a_link_is_replayed_and_not_believed(plant):
    page = plant("#fig:beta2=0&delta=0.032&gamma=18&score=1&best=1&gradients=1", fig=HillExplorer(**OPEN))
    expect(card(page)).to_contain_text(f"after {gradients(delta=0.032, gamma=18.0, beta2=0.0)} gradients")
    page = plant("#fig:delta=0", fig=HillExplorer(**OPEN))
    expect(card(page)).to_contain_text("not at the global minimum within 300 steps")


def test_it_is_a_box_to_tick(plant):
    page = plant(fig=HillExplorer(loss="sixth"))
    expect(card(page)).to_be_hidden()
    page.get_by_role("checkbox", name="escape golf").check()
    expect(card(page)).to_contain_text(re.compile("sixth order from x = 0.1 with λ = 0.01"))
    page.wait_for_function("location.hash === '#fig:golf=true'")
    unfold(page)
    page.get_by_role("checkbox", name="Hill-ADAM").uncheck()
    expect(card(page)).to_contain_text("played with Hill-ADAM")


@pytest.mark.parametrize("hash", ["#fig:golf=true&lock=loss,start,lr"])
def test_a_lecturer_sets_the_hole(plant, hash):
    page = plant(hash, fig=HillExplorer(loss="sixth"))
    expect(page.get_by_role("slider", name="λ", exact=True)).to_be_disabled()
    page.get_by_role("slider", name="start").press("ArrowLeft")
    assert trait(page, "start") == 0.1
