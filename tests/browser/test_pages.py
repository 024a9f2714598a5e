"""Every page of the built book in Chromium, with all other hosts out of reach."""

import gzip
import re
from pathlib import Path

import pytest
from offline import Package, fetch, unpack
from playwright.sync_api import expect

ROOT = Path(__file__).parents[2]
SOURCES = sorted(str(path.relative_to(ROOT).with_suffix(".html")) for path in ROOT.glob("book/**/*.[im][pd]*"))
PAGES = [*SOURCES, "genindex.html", "search.html"]

AXE = Package(
    "axe-core@4.14.1",
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    root="",
    folder="axe",
    wanted=("axe.min.js",),
)
# Without the formulas: they are MathJax's, and most of the time would go into their thousands of elements.
RUN_AXE = """async () => {
    for (const formula of document.querySelectorAll("mjx-container")) formula.replaceChildren();
    return (await axe.run({resultTypes: ["violations"]})).violations
        .filter(({impact}) => ["serious", "critical"].includes(impact))
        .flatMap(({id, nodes}) => nodes.map(({html, target}) => `${id} at ${target}: ${html.slice(0, 200)}`));
}"""

LIMIT = 1_500_000  # bytes of a page's first view, compressed, without its widgets
MANAGER = "_static/vendor/widgets/"
WIDGET = re.compile(rb'<script type="application/vnd\.jupyter\.widget-.*?</script>', re.S)


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("npm")
    unpack(AXE, fetch(AXE, ROOT / "_build" / ".npm"), folder)
    return folder / "axe" / "axe.min.js"


@pytest.mark.parametrize("name", PAGES)
def test_loads_whole_and_light_and_is_accessible(page, address, axe, name):
    page.goto(address + name, wait_until="networkidle")
    page.wait_for_function("!window.MathJax || window.MathJax.startup?.promise")  # at first it is its settings alone
    page.evaluate("window.MathJax?.startup.promise")
    assert page.faults == []
    unset = "math => !math.querySelector('mjx-container') && math.textContent.trim()"
    assert not page.evaluate(f"[...document.querySelectorAll('.math')].some({unset})"), "mathematics left as text"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), "scrolls sideways"

    bodies = {answer.url: answer.body() for answer in page.answers}
    own = [WIDGET.sub(b"", body) for url, body in bodies.items() if MANAGER not in url]
    assert sum(len(gzip.compress(body)) for body in own) < LIMIT
    assert any(MANAGER in url for url in bodies) == bool(WIDGET.search(bodies[address + name]))

    page.add_script_tag(path=axe)
    assert page.evaluate(RUN_AXE) == []


def test_the_sidebar_is_accessible_in_the_dark(browser, address, axe):  # a phone hides it
    with browser.new_page(color_scheme="dark") as page:
        page.goto(address + "book/status.html")
        page.add_script_tag(path=axe)
        assert page.evaluate(RUN_AXE) == []


def test_the_root_leads_to_the_first_page(page, address):
    page.goto(address)
    page.wait_for_url("**/book/index.html")


def test_a_search_finds_pages(page, address):
    page.goto(address + "book/notation.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("overshoot")
    page.keyboard.press("Enter")
    expect(page.locator("#search-results li a").first).to_be_visible()
    assert page.faults == []


@pytest.mark.parametrize("place", ["nowhere.html", "book/adam/nowhere.html", "far/from/any/page/"])
def test_a_lost_reader_finds_back(page, address, place):
    page.goto(address + place, wait_until="networkidle")
    faults = [fault for fault in page.faults if not fault.startswith("console: Failed to load resource")]
    assert faults == [f"404: {address}{place}"]
    links = page.evaluate("[...document.links].map(link => link.href)")
    assert {address + name for name in (*SOURCES, "search.html")} <= set(links)
    page.get_by_role("link", name="first page").click()
    page.wait_for_url("**/book/index.html")


def test_prints_light_and_unfolded_and_without_what_is_for_the_screen(page, address):
    page.goto(address + "book/adam/landscapes.html", wait_until="networkidle")
    theme = page.locator("html").get_attribute("data-theme")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("html").get_attribute("data-theme") == "light"
    for solution in page.locator(".solution").all():
        expect(solution.locator(".section, p").last).to_be_visible()
    for name in (".bd-sidebar-primary", ".bd-sidebar-secondary", ".bd-header-article", ".prev-next-footer", ".copybtn"):
        expect(page.locator(name).first).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("html").get_attribute("data-theme") == theme
