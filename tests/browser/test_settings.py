"""The explorers as those see them who have forced their own colours, want nothing to move, or have no pointer."""

import pytest
from gestures import ON_A_DESK, unfold
from playwright.sync_api import expect

from hilladam import widgets

EXPLORERS = [name for name in widgets.__all__ if name.endswith("Explorer")]
PAGES = [
    "index",
    "adam/adam-as-a-series",
    "adam/escape-condition",
    "beyond/tuning-itself",
    "experiments/colour",
    "hill-adam/algorithm",
    "hill-adam/crossing",
    "neighbours/the-race",
]
# Texts and lines that cannot be seen on the reader's ground; a line of the ground's own colour only sets off another.
FAINT = """() => {
    const light = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
    const ratio = (...two) => two.map((each) => light(each) + 0.05).sort((a, b) => b - a).reduce((a, b) => a / b);
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style = "forced-color-adjust: none; color: Canvas";
    const ground = getComputedStyle(probe).color;
    probe.remove();
    const faint = (selector, property, least) => [...document.querySelectorAll(`.hilladam svg ${selector}`)]
        .map((element) => [element, getComputedStyle(element)[property]])
        .filter(([, colour]) => colour.startsWith("rgb(") && ratio(colour, ground) < least)
        .filter(([, colour]) => property === "fill" || colour !== ground)
        .map(([element, colour]) => `${element.outerHTML.slice(0, 80)} in ${colour} on ${ground}`);
    return [...faint("text", "fill", 4.5), ...faint(":is(path, line)", "stroke", 3)];
}"""
MOVING = """() => [...document.querySelectorAll("*")].filter((element) => {
    const {transitionDuration, animationDuration, animationName, scrollBehavior} = getComputedStyle(element);
    const some = (times) => times.split(", ").some((time) => parseFloat(time) > 0.001);
    const animated = animationName !== "none" && some(animationDuration);
    return some(transitionDuration) || animated || scrollBehavior !== "auto";
}).map((element) => element.outerHTML.slice(0, 80))"""


def open_page(page, address, name):
    page.goto(f"{address}book/{name}.html", wait_until="networkidle")
    expect(page.locator(".hilladam").first).to_be_visible()


@pytest.mark.parametrize("name", PAGES)
def test_everything_is_seen_in_forced_colours(browser, address, name):
    """Whatever the reader's ground is, and whatever the theme, which is an attribute of the page."""
    with browser.new_page(forced_colors="active") as page:
        open_page(page, address, name)
        for ground in ("light", "dark"):
            page.emulate_media(color_scheme=ground, forced_colors="active")
            for theme in ("light", "dark"):
                page.evaluate("theme => (document.documentElement.dataset.theme = theme)", theme)
                assert page.evaluate(FAINT) == [], (ground, theme)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_moves_for_those_who_want_stillness(browser, address, name):
    with browser.new_page(reduced_motion="reduce") as page:
        open_page(page, address, name)
        assert page.evaluate(MOVING) == []
        drawn = "[...document.querySelectorAll('.hilladam svg')].map((svg) => svg.outerHTML).join()"
        before = page.evaluate(drawn)
        page.wait_for_timeout(500)
        assert page.evaluate(drawn) == before


@ON_A_DESK
def test_tables_scroll_by_keys(plant):
    scrolled = 0
    for name in EXPLORERS:
        page = plant(fig=getattr(widgets, name)())
        page.set_viewport_size({"width": 320, "height": 844})
        page.wait_for_function("[...document.querySelectorAll('details.fold')].every(({open}) => !open)")
        unfold(page)
        for box in page.locator(".hilladam .scroll").all():
            if not box.is_visible() or not box.evaluate("box => box.scrollWidth > box.clientWidth"):
                continue
            expect(box).to_have_attribute("role", "region")  # once it is known to be the narrower
            assert box.get_attribute("aria-label")
            box.focus()
            page.keyboard.press("ArrowRight")
            page.wait_for_function("document.activeElement.scrollLeft > 0")
            scrolled += 1
    assert scrolled
