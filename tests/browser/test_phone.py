"""Every explorer fits a phone: whole at a glance, large enough for a finger, its picture in sight while it is set."""

import json
from pathlib import Path

import pytest
from gestures import ON_A_PHONE, place, settled

from hilladam import widgets

BOOK = Path(__file__).parents[2] / "book"
STATE = "application/vnd.jupyter.widget-state+json"
EXPLORERS = pytest.mark.parametrize("name", [name for name in widgets.__all__ if name.endswith("Explorer")])
TASK = "A question as long as those of the book are: what would you change, and by how much, to get across?"

# What a finger is to hit, and how large it is; the bars of the series are painted over as one.
SMALL = """() => [...document.querySelectorAll(".hilladam :is(button, select, input, summary, .handle)")]
    .filter((each) => !/^gradient /.test(each.getAttribute("aria-label") ?? ""))
    .map((each) => (each.matches("[type=checkbox]") ? each.closest("label") : each))
    .filter((each) => each.checkVisibility({ visibilityProperty: true }))
    .map((each) => [each.outerHTML.slice(0, 100), each.getBoundingClientRect()])
    .filter(([, { width, height }]) => Math.min(width, height) < 43.9)
    .map(([what, { width, height }]) => `${width} x ${height}: ${what}`)"""
# Controls at the lower edge of the window, as a reader has them who scrolls down, and how much of the picture is seen.
HIDDEN = """() => [...document.querySelectorAll(".hilladam :is(input, select)")]
    .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest(".shared"))
    .map((each) => {
        each.scrollIntoView({ block: "end" });
        const picture = document.querySelector(".pinned :is(svg[role=group], canvas[role=img])");
        const { top, bottom, height } = picture.getBoundingClientRect();
        const seen = (Math.min(bottom, innerHeight) - Math.max(top, 0)) / height;
        const box = each.getBoundingClientRect();
        const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
        return [seen, each.contains(document.elementFromPoint(x, y)), each.outerHTML.slice(0, 100)];
    })
    .filter(([seen, free]) => seen < 0.9 || !free)"""

# Words in a picture that run into each other, or nearly, but for those on the balls, which start in one place.
TOUCHING = """() => [...document.querySelectorAll(".hilladam svg")].flatMap((picture) => {
    const words = [...picture.querySelectorAll("text")]
        .filter((each) => each.textContent && !each.closest(".ball"))
        .filter((each) => each.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
        .map((each) => [each.textContent, each.getBoundingClientRect()]);
    return words.flatMap(([one, a], i) => words.slice(i + 1)
        .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > -2
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.3 * a.height)
        .map(([other]) => `${one} | ${other}`));
})"""

# Numbers of an axis that lie under a mark.
COVERED = """() => [...document.querySelectorAll(".hilladam svg")].flatMap((picture) => {
    const boxes = (selector) => [...picture.querySelectorAll(selector)]
        .filter((each) => each.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
        .map((each) => [each.textContent, each.getBoundingClientRect()]);
    return boxes(".axes text").filter(([, a]) => boxes(".grip").some(([, b]) =>
        Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.3 * a.height)).map(([number]) => number);
})"""

# Words that a phone of 320 pixels cuts off, or nearly.
OUTSIDE = """() => [...document.querySelectorAll(".hilladam svg text")]
    .filter((each) => each.textContent && each.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
    .filter((each) => each.getBoundingClientRect().right > each.closest(".hilladam").getBoundingClientRect().right + 1)
    .map((each) => each.textContent)"""

# Menus that are narrower than their longest word wants.
SHORT = """() => [...document.querySelectorAll(".hilladam select")]
    .filter((menu) => menu.checkVisibility() && !menu.closest(".shared"))
    .filter((menu) => {
        const whole = menu.parentNode.appendChild(menu.cloneNode(true));
        whole.style.cssText = "position: absolute; width: max-content; max-width: none";
        const { width } = whole.getBoundingClientRect();
        whole.remove();
        return width > menu.getBoundingClientRect().width + 0.5;
    }).map((menu) => menu.name)"""


def opened(plant, name):
    page = plant(fig=getattr(widgets, name)(task=TASK))
    page.wait_for_timeout(300)
    return page


@ON_A_PHONE
@EXPLORERS
def test_it_is_whole_at_a_glance(plant, name):
    page = opened(plant, name)
    assert place(page.locator(".hilladam"))["height"] <= 700
    assert page.evaluate(SMALL) == []
    page.set_viewport_size({"width": 320, "height": 700})
    page.wait_for_timeout(200)
    assert place(page.locator(".hilladam"))["height"] <= 700
    for fault in (TOUCHING, COVERED, OUTSIDE, SHORT):
        assert page.evaluate(fault) == []


def of_the_book():
    """The explorers that the book's pages show, with their tasks."""
    for path in sorted(path for path in BOOK.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts):
        metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
        stored = [model["state"] for model in metadata.get("widgets", {STATE: {"state": {}}})[STATE]["state"].values()]
        for count, state in enumerate(state for state in stored if "_anywidget_id" in state):
            explorer = getattr(widgets, state["_anywidget_id"].rpartition(".")[2])
            yield pytest.param(explorer, state["task"], id=f"{path.stem}-{count}")


@ON_A_PHONE
@pytest.mark.parametrize("explorer, task", [*of_the_book()])
def test_those_of_the_book_are_whole_at_a_glance_on_the_narrowest(plant, explorer, task):
    page = plant(fig=explorer(task=task))
    page.set_viewport_size({"width": 312, "height": 700})  # the margins of the book's pages are 4 pixels wider
    page.wait_for_timeout(300)
    settled(page)
    assert place(page.locator(".hilladam"))["height"] <= 700


@ON_A_PHONE
@EXPLORERS
def test_its_picture_stays_in_sight_with_all_unfolded(plant, name):
    page = opened(plant, name)
    page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    assert page.evaluate(SMALL) == []
    assert page.evaluate(HIDDEN) == []


@ON_A_PHONE
def test_what_is_folded_on_a_phone_is_in_the_open_where_there_is_room(plant):
    page = opened(plant, "HillExplorer")
    fold = page.locator("details.fold")
    assert not fold.evaluate("fold => fold.open") and fold.locator("summary").is_visible()
    page.set_viewport_size({"width": 900, "height": 800})
    page.wait_for_function("document.querySelector('details.fold').open")
    assert not fold.locator("summary").is_visible() and fold.locator("table").is_visible()
