"""The map: a ball or four hundred are dropped on a loss of two variables, run, and are seen from above and aside."""

import re

import numpy as np
import pytest
from gestures import ON_A_DESK, ON_A_PHONE, drag, frames, middle, place, press
from planting import trait
from playwright.sync_api import expect

from hilladam.experiments import journey
from hilladam.widgets import MapExplorer


def opened(plant, hash="", **settings):
    page = plant(hash, fig=MapExplorer(**settings))
    return page, page.get_by_role("group", name="Explorer: the map")


def says(explorer):
    return explorer.locator(".say .unseen")


def tracks(explorer, name):
    return explorer.locator(f".plane > svg g[data-optimizer={name}] path.run").first


def test_a_ball_is_dropped_where_one_taps_and_rolls(plant):
    page, explorer = opened(plant, speed=1000)
    expect(says(explorer)).to_have_text(
        re.compile(r"^A ball waits at \(1\.6, −0\.3\) for Hill-ADAM and Adam\. Press ▶")
    )
    chart = explorer.get_by_role("group", name="The loss from above", exact=True)
    x, y = middle(chart)
    page.mouse.click(x + 60, y + 40)
    page.wait_for_function("models.fig.get('step') === 300")
    assert trait(page, "start") != [1.6, -0.3]
    expect(says(explorer)).to_have_text(re.compile(r"^After 300 gradients: Hill-ADAM .+; Adam .+\.$"))
    assert tracks(explorer, "Adam").get_attribute("d")
    explorer.get_by_role("button", name="Back to the start").click()
    expect(says(explorer)).to_have_text(re.compile("^A ball waits"))


def test_everything_goes_by_keys(plant):
    page, explorer = opened(plant)
    press(page, explorer.get_by_role("slider", name="start", exact=True), "ArrowLeft", "Shift+ArrowUp")
    assert trait(page, "start") == [1.56, -0.06]
    for _ in range(3):
        explorer.get_by_role("button", name="+1 step").press("Enter")
    expect(says(explorer)).to_have_text(re.compile("^After 3 gradients: "))
    explorer.get_by_role("button", name="400 balls").press("Enter")
    expect(says(explorer)).to_have_text(re.compile("^After 3 gradients each, of Hill-ADAM’s"))


@ON_A_DESK
def test_the_surface_is_turned_by_keys_and_by_dragging(plant):
    page, explorer = opened(plant, step=30)
    turn = explorer.get_by_role("slider", name="turn", exact=True)
    pixels = "document.querySelector('.relief canvas').toDataURL()"
    before, star = page.evaluate(pixels), explorer.locator(".relief .star").first.get_attribute("transform")
    press(page, turn, "ArrowRight", "ArrowUp")
    assert (trait(page, "azimuth"), trait(page, "elevation")) == (30, 41)
    drag(page, middle(turn), -100, 0)
    assert trait(page, "azimuth") == -20
    page.wait_for_function(f"before => {pixels} !== before", arg=before)
    assert explorer.locator(".relief .star").first.get_attribute("transform") != star


@ON_A_DESK
def test_a_run_that_is_thrown_out_has_a_track_as_far_as_it_has_numbers(plant):
    _, explorer = opened(plant, step=300, a="momentum", b="none", rates={"momentum": 1.0})
    expect(says(explorer)).to_have_text(re.compile("momentum is lost"))
    for view in (".plane", ".relief"):
        assert "NaN" not in explorer.locator(f"{view} path.run").first.get_attribute("d")


@ON_A_DESK
def test_each_has_its_own_rate_and_the_race_counts_gradients(plant):
    page, explorer = opened(plant, step=300)
    adam, hill = tracks(explorer, "Adam"), tracks(explorer, "Hill-ADAM")
    expect(adam).to_have_attribute("d", re.compile("M"))
    expect(says(explorer)).to_have_text(re.compile("Hill-ADAM met a deepest valley after 272 gradients"))
    before = adam.get_attribute("d"), hill.get_attribute("d")
    explorer.get_by_role("slider", name="λ of the second optimizer").press("ArrowRight")
    expect(adam).not_to_have_attribute("d", before[0])
    assert hill.get_attribute("d") == before[1]
    assert trait(page, "rates").keys() == {"Adam"}
    explorer.get_by_role("combobox", name="second optimizer").select_option("SGD")
    expect(says(explorer)).to_contain_text("gradient descent")
    explorer.get_by_role("combobox", name="second optimizer").select_option("none")
    expect(explorer.get_by_role("slider", name="λ of the second optimizer")).to_be_hidden()


@ON_A_DESK
def test_the_arrows_are_those_of_the_next_update(plant):
    _, explorer = opened(plant, step=5, a="Adam", b="none")
    arrows = explorer.locator(".plane .arrows path")
    assert [each.get_attribute("class") for each in arrows.all()] == ["scale", "gradient", "momentum", "step"]
    before = [each.get_attribute("d") for each in arrows.all()]
    explorer.get_by_role("button", name="+1 step").click()
    expect(arrows.last).not_to_have_attribute("d", before[-1])
    expect(explorer.locator(".legend")).to_contain_text("times as long")
    explorer.get_by_text("more", exact=True).click()
    explorer.get_by_role("checkbox", name="arrows of the update").uncheck()
    expect(arrows).to_have_count(0)


@ON_A_PHONE
def test_the_box_of_the_scale_is_whole_at_the_edge(plant):
    page, explorer = opened(plant, a="momentum", start=(1.95, 0.6))
    box = place(explorer.locator(".arrows .scale"))
    assert box["width"] > 20 and box["x"] + box["width"] <= page.viewport_size["width"] - 12, "the page's margin"


@ON_A_DESK
def test_it_walks_over_the_hill_and_begins_anew_at_the_centre(plant):
    page, explorer = opened(plant, surface="rastrigin", a="over the hill", b="Hill-ADAM", steps=500, step=9)
    track = explorer.locator(".plane > svg g[data-optimizer='over the hill'] path.run")
    expect(says(explorer)).to_have_text(re.compile("^After 9 gradients: over the hill is on its way"))
    assert not track.nth(1).get_attribute("d"), "it has not walked yet"
    explorer_there = MapExplorer(surface="rastrigin", a="over the hill", b="none", steps=500)
    there = explorer_there.run()["over the hill"].member(0)
    walk = int(there.maximize.argmax())
    page.evaluate("step => models.fig.set('step', step)", walk)
    expect(says(explorer)).to_have_text(re.compile(f"^After {walk} gradients: over the hill walks, at loss "))
    expect(explorer.locator(".ball[data-optimizer='over the hill']").first).to_have_attribute("data-climbs", "true")
    page.evaluate("models.fig.set('step', 500)")
    met = int((there.losses < explorer_there.gate).argmax())
    expect(says(explorer)).to_contain_text(f"over the hill met the deepest valley after {met} gradients")
    taken = journey(explorer_there.loss, explorer_there.start, 501)
    elsewhere = (taken.origins[1:] != taken.places[:-1]).any(axis=1)
    turned = np.append(True, taken.walking[2:] != taken.walking[1:-1])
    down, up = (re.findall(r"M([^L]+)L", path.get_attribute("d")) for path in track.all()[:2])  # seen from above
    assert len(down) + len(up) == (elsewhere | turned).sum()
    centres = np.unique(taken.origins[1:][taken.walking[1:] & (elsewhere | turned)], axis=0)
    assert 1 < len(set(up)) <= len(centres) < len(up), "walks begin somewhere else than at a centre"


def balls(explorer, cls):
    found = explorer.locator(f".plane:not([hidden]) > svg path.{cls}").evaluate_all(
        "paths => paths.map((path) => (path.getAttribute('d') ?? '').split('M').length - 1)"
    )
    return sum(found)


@ON_A_DESK
def test_a_swarm_colours_the_basins_as_the_package_has_them(plant):
    explorer_there = MapExplorer(swarm=True, step=120, steps=120)
    page, explorer = opened(plant, swarm=True, step=120, steps=120)
    expect(says(explorer)).to_have_text(re.compile("^After 120 gradients each"))
    counts, coloured, met = [], 0, 0
    for record in explorer_there.run().values():
        valleys = explorer_there.valleys(record.final_states)
        arrived = (record.losses < explorer_there.gate).any(axis=0).sum()
        minima = explorer_there.loss.minima
        counts += [arrived, sum(minima[k].value < explorer_there.gate for k in valleys if k >= 0)]
        coloured, met = coloured + (valleys >= 0).sum(), met + arrived
    here = list(map(int, re.findall(r"\b\d+(?= (?:have|are))", says(explorer).inner_text())))
    assert all(abs(a - b) <= 2 for a, b in zip(here, counts, strict=True)), (here, counts)  # roundings part a few
    assert balls(explorer, "dots") == 800 and abs(balls(explorer, "met") - met) <= 4
    assert abs(balls(explorer, "cells") - coloured) <= 4
    box = place(explorer.get_by_role("group", name="The loss from above", exact=True))
    page.mouse.click(box["x"] + 100, box["y"] + 100)  # a cell, whose run is shown
    assert trait(page, "swarm") is False and trait(page, "step") == 120
    expect(says(explorer)).to_have_text(re.compile("^After 120 gradients: Hill-ADAM"))


@ON_A_DESK
@pytest.mark.parametrize("a, b", [("Hill-ADAM", "Adam"), ("over the hill", "self-tuning Hill-ADAM")])
def test_the_swarm_keeps_up(plant, a, b):
    page, explorer = opened(plant, swarm=True, steps=1000, a=a, b=b)
    with frames(page) as cost:
        explorer.get_by_role("button", name="Play").click()
        page.wait_for_function("models.fig.get('step') >= 60")
        explorer.get_by_role("button", name="Pause").click()
    assert cost[0] < 1, "a frame costs the page more than it may, with eight hundred balls"


def test_noise_is_thrown_anew_and_comes_again(plant):
    page, explorer = opened(plant, "#fig:noise=2&seed=3", step=60, a="SGD", b="none")
    track = explorer.locator(".plane > svg path.run").first
    expect(track).to_have_attribute("d", re.compile("M"))
    first = track.get_attribute("d")
    explorer.get_by_text("more", exact=True).click()
    explorer.get_by_role("button", name="Other noise").click()
    expect(track).not_to_have_attribute("d", first)
    page.evaluate("models.fig.set('seed', 3)")
    expect(track).to_have_attribute("d", first)


@ON_A_PHONE
def test_on_a_phone_it_shows_one_picture_and_stays_small(plant):
    task = "Who wins in two dimensions? Drop the ball anywhere, or four hundred at once."
    page, explorer = opened(plant, task=task, step=40)
    above = explorer.get_by_role("group", name="The loss from above", exact=True)
    for settings, words in {
        "{}": "After 40 gradients: ",
        "{swarm: true, step: 120}": "After 120 gradients each, ",
        "{side: 'right', swarm: false}": "After 120 gradients: ",
    }.items():
        page.evaluate(f"models.fig.set({settings})")
        expect(explorer.locator(".say [aria-hidden]")).to_contain_text(words)
        assert place(explorer)["height"] <= 700
    expect(above).to_be_hidden()
    explorer.get_by_role("button", name="The other picture").click()
    expect(above).to_be_visible()


def test_with_reduced_motion_it_shows_the_end_at_once(plant):
    page, explorer = opened(plant)
    page.emulate_media(reduced_motion="reduce")
    explorer.get_by_role("button", name="Play").click()
    assert trait(page, "step") == 300
    expect(says(explorer)).to_contain_text("After 300 gradients")


@ON_A_DESK
def test_another_surface_opens_as_it_suits_it(plant):
    page, explorer = opened(plant, step=50, rates={"Adam": 0.3})
    explorer.get_by_text("more", exact=True).click()
    explorer.get_by_role("combobox", name="surface").select_option("mueller_brown")
    assert trait(page, "start") == [0.9, 0.5] and trait(page, "rates") == {} and trait(page, "step") == 0
    expect(explorer.get_by_role("slider", name="λ of the second optimizer")).to_have_attribute("aria-valuetext", "0.02")
    expect(explorer.locator(".star").first).to_be_visible()
