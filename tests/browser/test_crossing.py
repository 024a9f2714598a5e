"""The explorers of crossing react to pointer, touch and keys, in a page of their own."""

import re
from itertools import pairwise

import pytest
from gestures import ON_A_DESK, drag, middle, place, press, swipe, unfold
from planting import trait
from playwright.sync_api import expect

from hilladam.widgets import ClimbExplorer, ReturnMapExplorer


@pytest.fixture
def show(plant):
    """Plant one explorer by itself: what it is, and its page."""

    def open(explorer):
        page = plant(fig=explorer)
        return page.get_by_role("group", name=re.compile("^Explorer: ")), page

    return open


def test_delta_is_dragged_along_the_climb_and_says_where_it_ends(show):
    shown, page = show(ClimbExplorer())
    delta, verdict = shown.get_by_role("slider", name="δ", exact=True), shown.locator(".unseen").first
    expect(delta).to_have_attribute("aria-valuetext", re.compile("δ = 1e−4: ends at step 56, .* short of the top"))
    press(page, delta, "ArrowUp", "PageDown", "Shift+ArrowRight", "Home", "End")
    assert trait(page, "delta") == pytest.approx(2 * 0.7171, rel=1e-2)  # twice the hill's height
    page.evaluate("models.fig.set('delta', 1e-3)")
    expect(delta).to_have_attribute("aria-valuetext", re.compile("ends at step 30, .* beyond the top"))
    expect(verdict).to_contain_text("falls into the next valley")
    drag(page, middle(shown.locator(".grip")), 0, -60)
    assert trait(page, "delta") < 1e-4
    assert page.evaluate("saved.delta") == trait(page, "delta")


def test_the_line_is_dragged_anywhere_and_the_bar_is_tapped(show):
    shown, page = show(ClimbExplorer())
    line = shown.get_by_role("slider", name="δ", exact=True)
    box = place(line)
    drag(page, (box["x"] + box["width"] / 3, middle(line)[1]), 0, 50)
    assert trait(page, "delta") > 5e-4
    first = place(shown.locator(".outcome").last)
    page.mouse.click(first["x"] + first["width"] / 2, first["y"] + first["height"] - 2)
    assert trait(page, "delta") < 1e-8


def test_a_step_is_shown_in_all_three_panels(show):
    shown, page = show(ClimbExplorer())
    unfold(page)
    step, balls = shown.get_by_role("slider", name="step", exact=True), shown.locator("circle.ball")
    pointed = shown.locator(".pointed")
    expect(pointed).to_contain_text("Step 40")
    before = [ball.get_attribute("cx") for ball in balls.all()]
    press(page, step, "ArrowRight", "Shift+ArrowLeft")
    assert trait(page, "step") == 31
    expect(pointed).to_contain_text("Step 31")
    assert all(a != b for a, b in zip(before, [ball.get_attribute("cx") for ball in balls.all()], strict=True))
    x, y = middle(shown.locator("svg", has_text="x about the top").first)
    page.mouse.move(x, y)
    expect(pointed).not_to_contain_text("Step 31")
    assert trait(page, "step") == 31  # the mouse only looks
    page.mouse.move(0, 0)
    expect(pointed).to_contain_text("Step 31")


def test_settings_climb_again(show):
    shown, page = show(ClimbExplorer())
    unfold(page)
    marks = shown.locator(".stairs").last
    for name in ("λ", "β₁", "start, in λ"):
        before = marks.get_attribute("d")
        press(page, shown.get_by_role("slider", name=name, exact=True), "ArrowRight")
        expect(marks).not_to_have_attribute("d", before)
    for key in ("sine", "tenth", "eighth", "sixth"):
        before = marks.get_attribute("d")
        shown.get_by_role("combobox", name="hill").select_option(key)
        expect(marks).not_to_have_attribute("d", before)
    assert trait(page, "loss") == "sixth"


def test_a_finger_drags_and_does_not_scroll(browser, show):
    for explorer, name, trait_name in ((ClimbExplorer(), "δ", "delta"), (ReturnMapExplorer(), "start", "start")):
        shown, page = show(explorer)
        handle = shown.locator(".grip" if name == "δ" else ".ball").first
        place = middle(handle)
        before, top = trait(page, trait_name), page.evaluate("scrollY")
        swipe(page, place, -44, 44)
        page.wait_for_timeout(50)
        assert trait(page, trait_name) != before
        assert page.evaluate("scrollY") == top


def test_the_start_is_dragged_out_of_the_prison(show):
    shown, page = show(ReturnMapExplorer())
    start, verdict = shown.get_by_role("slider", name="start", exact=True), shown.locator(".unseen").first
    expect(start).to_have_attribute("aria-valuetext", re.compile("^x = 1.26: does not get there"))
    expect(verdict).to_contain_text("It never crosses")
    expect(shown.locator(".ring").first).to_be_visible()
    press(page, start, "ArrowRight", "ArrowLeft", "Shift+ArrowLeft")
    page.evaluate("models.fig.set('start', 0.7)")
    expect(start).to_have_attribute("aria-valuetext", "x = 0.7: reaches the deepest valley")
    expect(verdict).to_contain_text("it is in the deepest valley")
    drag(page, middle(shown.locator(".ball")), -30, 0)
    page.wait_for_function("models.fig.get('start') < 0.65 && saved.start === models.fig.get('start')")
    box = place(shown.locator(".ground"))
    page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    page.wait_for_function("models.fig.get('start') > 1.4")


def test_gamma_opens_the_prison_and_the_bar_code_is_whole(show):
    shown, page = show(ReturnMapExplorer())
    unfold(page)
    share = shown.locator(".unseen").nth(1)
    expect(share).to_contain_text("starts outside the deepest valley")
    held = re.search(r"Of (\d+) starts outside the deepest valley (\d+) %", share.inner_text())
    explorer = ReturnMapExplorer()
    outside = explorer.starts > explorer.polynomial.stationary_points[1].x
    assert int(held[1]) == outside.sum()
    assert int(held[2]) == round(100 * explorer.reached()[outside].mean())
    expect(shown.locator("text.note", has_text="prison")).to_be_visible()
    page.evaluate("models.fig.set('gamma', 1.3)")
    expect(share).to_contain_text("100 %")
    expect(shown.locator("text.note", has_text="outer side")).to_be_visible()
    shown.get_by_role("combobox", name="loss").select_option("tenth")
    expect(shown.get_by_role("slider", name="γ", exact=True)).to_have_attribute("aria-valuetext", "200")
    press(page, shown.get_by_role("slider", name="δ", exact=True), "ArrowLeft")
    expect(share).to_contain_text(re.compile(r"Of \d+ starts outside"))


@ON_A_DESK
def test_a_slow_machine_computes_in_slices_and_says_so(show):
    """With a clock by which every run takes 8 ms, no frame computes for more than three of them."""
    shown, page = show(ReturnMapExplorer())
    share = shown.locator(".unseen").nth(1).locator("xpath=preceding-sibling::*")
    expect(share).to_contain_text(re.compile(r"^Of \d+ starts outside"))
    whole = share.inner_text()
    page.evaluate("""() => {
      let clock = 0;
      performance.now = () => (clock += 8);
      window.told = [];
      const share = document.querySelectorAll(".unseen")[1].previousSibling;
      new MutationObserver(() => told.push(share.textContent)).observe(share, { childList: true });
      models.fig.set("lr", 0.05);
    }""")
    page.wait_for_function("told.length && /^Of [0-9]+ starts outside/.test(told.at(-1))")
    told = page.evaluate("told")
    counts = [int(re.search(r"\d+", words)[0]) for words in told[:-1]]
    assert all("computed so far" in words for words in told[:-1])
    assert counts == sorted(counts) and len(counts) > 50 and max(b - a for a, b in pairwise(counts)) <= 3
    assert told[-1] != whole and re.search(r"\d+", told[-1])[0] == re.search(r"\d+", whole)[0]
