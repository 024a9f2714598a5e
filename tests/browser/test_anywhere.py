"""The explorers run wherever the book's files are put, and where one cannot run there is its picture."""

import re
from pathlib import Path

import pytest
from page_checks import UNSET, watch
from playwright.sync_api import expect
from serving import served

ROOT = Path(__file__).parents[2]
SOURCES = {path: path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("book/**/*.ipynb"))}
# Every page with explorers.
PAGES = [
    path.relative_to(ROOT).with_suffix(".html").as_posix()
    for path, text in SOURCES.items()
    if "AnyModel" in text and ".ipynb_checkpoints" not in path.parts
]
SOME = PAGES[::3]  # what runs an explorer is the same on all
# What the book needs beside itself: scripts and styles in the page, pictures and fonts in style sheets, workers.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; worker-src blob:"
)

# All that an explorer shows: its drawings, what it says, and what its table has.
SHOWN = "place => [...place.querySelectorAll('svg')].map((svg) => svg.outerHTML).join() + place.textContent"
LATER = "([place, before]) => (SHOWN)(place) !== before".replace("SHOWN", SHOWN)

# Whether a slider, or a mark that is one, is at its lower end.
LOWEST = """handle => handle.matches("input") ? handle.value === handle.min
    : handle.getAttribute("aria-valuenow") === handle.getAttribute("aria-valuemin")"""


def test_there_are_pages_to_test():
    assert {"book/index.html", "book/hill-adam/crossing.html"} <= set(PAGES)


@pytest.fixture
def page(browser):
    with browser.new_page(viewport={"width": 1360, "height": 900}) as page:
        yield page


def runs(frame):
    """See that each explorer of a page stands, hears keys, and has hidden its picture, and that formulas are set."""
    for place in frame.locator(".explorer").all():
        expect(place.locator(".hilladam")).to_be_visible()
        place.evaluate("place => place.querySelectorAll('details').forEach((details) => (details.open = true))")
        before = place.evaluate(SHOWN)
        ranges = place.locator("input[type=range]:visible")
        handle = ranges.first if ranges.count() else place.get_by_role("slider").first  # some are set by marks alone
        said = handle.get_attribute("aria-valuetext")
        handle.press("ArrowRight" if handle.evaluate(LOWEST) else "ArrowLeft")
        expect(handle).not_to_have_attribute("aria-valuetext", said)  # some of them go on by themselves
        frame.wait_for_function(LATER, arg=[place.element_handle(), before])
    for picture in frame.locator(".static-picture").all():
        expect(picture).to_be_hidden()
    assert frame.locator(".explorer").count() == frame.locator(".static-picture").count() > 0
    expect(frame.locator("mjx-container").first).to_be_attached()
    frame.wait_for_function(f"({UNSET})().length === 0")


@pytest.mark.parametrize("name", PAGES)
def test_under_a_policy_that_forbids_eval(page, site, name):
    with served(site, headers={"Content-Security-Policy": POLICY}) as address:
        watch(page, address)
        page.goto(address + name)
        runs(page)
        assert page.faults == []


@pytest.mark.parametrize("name", SOME)
def test_from_a_disk(page, site, name):
    watch(page, site.as_uri())
    page.goto((site / name).as_uri())
    runs(page)
    assert page.faults == []


@pytest.mark.parametrize("prefix", ["/", "/a/course/its%20book/"])
def test_under_any_path(page, site, prefix):
    with served(site, prefix=prefix) as address:
        watch(page, address)
        page.goto(address + PAGES[0])
        runs(page)
        assert page.faults == []


@pytest.mark.parametrize("name", SOME)
def test_in_a_sandboxed_frame(page, site, address, name):
    watch(page, address)
    page.goto(address + "book/references.html")
    frame = f"<iframe sandbox='allow-scripts' src='{address}{name}' style='width: 1300px; height: 850px'></iframe>"
    page.set_content(frame)
    frame = page.frames[1]
    frame.wait_for_url("**/" + name)
    runs(frame)
    assert frame.evaluate("origin") == "null"
    # Icons and formulas do not hang on fonts that have no way in; that MathJax asked for one is all that went wrong.
    icons = "[...document.fonts].filter(({family}) => family.includes('Awesome')).map(({status}) => status)"
    frame.wait_for_function(f"{icons}.includes('loaded')")
    assert "error" not in frame.evaluate(icons)
    assert frame.locator("mjx-container:not([jax=SVG])").count() == 0
    asked = re.compile(r"console: (Access to font .*MathJax_Zero\.woff|Failed to load resource: net::ERR_FAILED)")
    assert [fault for fault in page.faults if not asked.match(fault)] == []
    frame.get_by_role("button", name="light/dark").click()
    assert page.evaluate("1") == 1 and len(page.faults) <= 2


@pytest.mark.parametrize(
    "script",
    [
        None,
        "window.explorers = new Proxy({}, {get: () => () => ({render() { throw new Error('planted') }})})",
        "window.explorers = new Proxy({}, {get: () => () => ({async render({el}) {"
        " el.innerHTML = '<div class=hilladam>half</div>'; await 0; throw new Error('planted') }})})",
    ],
    ids=["does not come", "fails at once", "fails when half of it stands"],
)
def test_an_explorer_that_fails_leaves_its_picture_and_says_so(page, address, script):
    def answer(route):
        if route.request.url.partition("?")[0].endswith("/host.js"):
            route.continue_()
        else:
            route.abort() if script is None else route.fulfill(body=script, content_type="text/javascript")

    page.route("**/_static/explorers/*.js*", answer)
    page.goto(address + "book/index.html")
    expect(page.locator(".explorer")).to_have_text(re.compile("does not run in this browser"))
    expect(page.locator(".static-picture")).to_be_visible()
    expect(page.locator(".hilladam")).to_have_count(0)
