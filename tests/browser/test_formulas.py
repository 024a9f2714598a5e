"""MathJax's own menu, and what it remembers: whatever a reader once chose there, every formula is set."""

import io
import json

import pytest
from page_checks import UNSET, settle, watch
from PIL import Image
from playwright.sync_api import expect

PAGE = "book/hill-adam/algorithm.html"
KEPT = "MathJax-Menu-Settings"
CHOICES = [
    {"renderer": "SVG"},
    {"explorer": True},
    {"explorer": True, "speech": True, "braille": True, "locale": "de", "speechRules": "clearspeak-default"},
    {"explorer": True, "highlight": "Hover", "magnification": "Keyboard", "infoType": True},
    {"collapsible": True},
    {"renderer": "SVG", "explorer": True, "collapsible": True},
    {"assistiveMml": False},
    {"inTabOrder": False},
    {"zoom": "Click", "scale": "1.5"},
]
SET = "document.querySelectorAll('mjx-container').length"


@pytest.fixture
def page(browser, address):
    with browser.new_context(viewport={"width": 1360, "height": 900}) as context, context.new_page() as page:
        watch(page, address)
        yield page
        assert page.faults == []


def files(page):
    return {answer.url.partition("/vendor/mathjax/")[2].partition("?")[0] for answer in page.answers} - {""}


def still(page):
    """Wait until formulas that are set anew, and what MathJax loads for them, stand still."""
    now, before = None, ()
    while now != before:
        page.wait_for_timeout(1000)
        now, before = (len(page.answers), page.evaluate(SET)), now


@pytest.fixture(scope="module")
def count(browser, address):
    """The number of the page's formulas at a first visit."""
    with browser.new_page(viewport={"width": 1360, "height": 900}) as page:
        settle(page, address + PAGE)
        assert page.evaluate(UNSET) == []
        return page.evaluate(SET)


@pytest.fixture
def visited(page, address):
    """The page, open as at a first visit."""
    settle(page, address + PAGE)
    return page


@pytest.mark.parametrize("choice", CHOICES, ids=json.dumps)
def test_every_formula_is_set_after_any_choice(page, address, count, choice):
    page.add_init_script(f"localStorage.setItem({json.dumps(KEPT)}, {json.dumps(json.dumps(choice))})")
    settle(page, address + PAGE)
    still(page)
    assert page.evaluate(UNSET) == []
    assert page.evaluate(SET) == count
    assert page.evaluate("MathJax.startup.document.menu !== undefined")
    drawn = page.locator("mjx-container[jax=SVG] > svg").count()
    assert drawn == (count if choice.get("renderer") == "SVG" else 0)
    if choice.get("explorer") and "speech" in choice:
        assert any(name.startswith("sre/mathmaps/") for name in files(page))


def test_the_menu_comes_when_a_reader_turns_to_a_formula(visited, count):
    assert "book.js" in files(visited)
    assert "ui/menu.js" not in files(visited)
    formula = visited.locator("mjx-container").first
    formula.click(button="right")
    visited.get_by_role("menuitem", name="Math Settings").hover()
    visited.get_by_role("menuitem", name="Math Renderer").hover()
    visited.get_by_role("menuitemradio", name="SVG").click()
    expect(visited.locator("mjx-container[jax=SVG]")).to_have_count(count)
    assert visited.evaluate(UNSET) == []
    visited.reload()
    expect(visited.locator("mjx-container[jax=SVG]")).to_have_count(count)


def test_the_menu_opens_by_keys(visited):
    visited.locator("mjx-container").nth(3).focus()
    still(visited)
    visited.keyboard.press("Space")
    menu = visited.get_by_role("menuitem", name="Math Settings")
    expect(menu).to_be_visible()
    visited.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    assert visited.evaluate("document.activeElement === document.querySelectorAll('mjx-container')[3]")


def test_on_a_phone_a_formula_is_whole_or_shades_off_where_it_goes_on(browser, address):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "color_scheme": "light"}
    with browser.new_context(**phone) as context, context.new_page() as page:
        settle(page, address + "book/neighbours/annealing.html")
        formulas = page.locator("div.math > mjx-container:visible").all()
        shown = [each.evaluate("(it) => [it.scrollWidth / it.clientWidth, +it.style.zoom || 1]") for each in formulas]
        assert min(zoom for _, zoom in shown) >= 0.75
        assert any(zoom < 1 for _, zoom in shown)
        scrolling = [each for each, (width, _) in zip(formulas, shown, strict=True) if width > 1]
        assert all(width == 1 or width > 1 / 0.75 for width, _ in shown)
        assert scrolling
        for formula in scrolling:
            assert edge(formula) < 250
            formula.evaluate("(it) => it.scrollLeft = it.scrollWidth")
            assert edge(formula) == 255


def edge(formula):
    """How light a formula's right edge is, at its top, where no letter is."""
    picture = Image.open(io.BytesIO(formula.screenshot())).convert("L")
    return picture.getpixel((picture.width - 2, 2))
