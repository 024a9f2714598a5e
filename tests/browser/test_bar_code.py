"""The first screen: the ball is dragged along the curve, and the bar code under it is live."""

import re

import pytest
from gestures import ON_A_DESK, frames, place
from planting import trait
from playwright.sync_api import expect

from hilladam.widgets import BarCodeExplorer


def opened(plant, **settings):
    page = plant(fig=BarCodeExplorer(**settings))
    return page, page.get_by_role("group", name="Explorer: the bar code")


def code(explorer):
    return explorer.locator("path.arrives").get_attribute("d")


def test_it_opens_before_the_surprise(plant):
    page, bar = opened(plant, speed=300)
    expect(bar.locator(".say .unseen")).to_contain_text("Press ▶")
    assert code(bar) == ""
    expect(bar.locator(".ball").first).to_be_hidden()
    sliders = bar.get_by_role("slider")
    assert [each.get_attribute("name") or "ball" for each in sliders.all() if each.is_visible()] == [
        "ball",
        "lr",
        "delta",
    ]
    bar.get_by_role("button", name="Play").click()
    page.wait_for_function("models.fig.get('step') === 300")
    expect(bar.locator(".say .unseen")).to_have_text(
        "From x = 0.1 Hill-ADAM reaches the deeper valley at step 132, Adam never. "
        "Of 135 starts outside it 39 % get there; with Adam, 0 %."
    )
    assert code(bar)
    bar.get_by_role("button", name="Reset").click()
    expect(bar.locator(".say .unseen")).to_contain_text("Press ▶")


def test_the_ball_is_dragged_and_moved_by_keys(plant):
    page, bar = opened(plant)
    ball = bar.get_by_role("slider", name="start")
    ball.press("ArrowLeft")
    assert trait(page, "start") < 0.1 and trait(page, "step") == 300
    expect(bar.locator("path.arrives")).to_have_attribute("d", re.compile("M"))
    expect(bar.locator(".say .unseen")).not_to_contain_text("so far")
    strip = code(bar)
    box = place(ball)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y, steps=4)
    page.mouse.up()
    expect(ball).to_have_attribute("aria-valuetext", re.compile("^x = .*: (reaches|does not)"))
    assert trait(page, "start") < 0.09
    assert code(bar) == strip, "what becomes of the starts does not depend on which one is shown"
    chart = place(bar.locator("svg[role=group]"))
    page.mouse.click(chart["x"] + chart["width"] / 2, chart["y"] + chart["height"] - 50)  # in the strip
    assert abs(trait(page, "start") + 0.6) < 0.15


def test_the_strip_is_that_of_the_package(plant):
    _, bar = opened(plant, step=300, delta=1e-4)
    reached = BarCodeExplorer(delta=1e-4).reached()
    expect(bar.locator(".say .unseen")).not_to_contain_text("so far")
    runs = [tuple(map(float, each)) for each in re.findall(r"M([\d.]+) [\d.]+H([\d.]+)V", code(bar))]
    left, width = (float(bar.locator("rect.ground").get_attribute(name)) for name in ("x", "width"))
    centres = [left + (i + 0.5) / 240 * width for i in range(240)]
    assert [any(a < x < b for a, b in runs) for x in centres] == reached.tolist()


@pytest.mark.parametrize("steps", [300, 5000])
def test_the_strip_lives_under_a_slider_and_the_page_keeps_up(plant, steps):
    page, bar = opened(plant, steps=steps)
    rate = bar.get_by_role("slider", name="step size λ")
    rate.press("ArrowRight")
    expect(bar.locator("path.arrives")).to_have_attribute("d", re.compile("M"))
    before = code(bar)
    with frames(page) as cost:
        for _ in range(20):
            rate.press("ArrowRight")
    expect(bar.locator(".say .unseen")).not_to_contain_text("so far")
    expect(bar.locator("path.arrives")).not_to_have_attribute("d", before)
    assert cost[0] < 1, "a frame costs the page more than it may"


def test_with_reduced_motion_it_shows_the_end_at_once(plant):
    page, bar = opened(plant)
    page.emulate_media(reduced_motion="reduce")
    bar.get_by_role("button", name="Play").click()
    assert trait(page, "step") == 300
    expect(bar.locator(".say .unseen")).to_contain_text("reaches the deeper valley")


@ON_A_DESK
def test_the_book_opens_with_it(page, address):
    page.goto(address + "book/index.html")
    bar = page.get_by_role("group", name="Explorer: the bar code")
    bar.get_by_role("button", name="Play").click()
    expect(bar.locator(".say .unseen")).to_contain_text("reaches the deeper valley")
    assert page.faults == []
