"""The built book, served, and Chromium with all other hosts out of reach."""

import os
import re
from pathlib import Path

import chromium
import pytest
from offline import Package, fetch, unpack
from page_checks import watch
from planting import HOME, planted
from playwright.sync_api import expect, sync_playwright
from serving import served

ROOT = Path(__file__).parents[2]

VIEWS = {
    "light-desktop": {"color_scheme": "light", "viewport": {"width": 1360, "height": 900}},
    "dark-phone": {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}, "has_touch": True},
}
QUIET = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
CUT = [
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
]  # in every page; `watch` also says what was asked for

AXE = Package(
    "axe-core@4.14.1",
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    root="",
    folder="axe",
    wanted=("axe.min.js",),
)


# Somebody else may be busy here: what comes late comes, and what does not come is a fault two minutes later.
PATIENCE = 120_000  # milliseconds
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def address(site):
    with served(site) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    executable = chromium.find()
    if not executable:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("no Chromium here; Debian's package is called chromium-headless-shell")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, chromium_sandbox=False, args=QUIET + CUT)
        browser.on("context", lambda context: context.set_default_timeout(PATIENCE))
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=VIEWS)
def view(request, browser):
    with browser.new_context(**VIEWS[request.param]) as context:
        yield context


@pytest.fixture
def page(view, address):
    """A page that keeps lists of the answers it gets and of what goes wrong in it."""
    with view.new_page() as page:
        watch(page, address)
        yield page


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("npm")
    unpack(AXE, fetch(AXE, ROOT / "_build" / ".npm"), folder)
    return folder / "axe" / "axe.min.js"


@pytest.fixture(scope="module")
def tab(view):
    """A page that one test after the other opens something in: a new one costs more than most of what they open."""
    with view.new_page() as page:
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(f"script error: {error}"))
        page.on("console", lambda message: message.type == "error" and page.faults.append(f"console: {message.text}"))
        page.first_size = page.viewport_size
        yield page


@pytest.fixture
def plant(tab):
    """Plant explorers in a page of their own, one in each figure, and open it at an address."""
    tab.goto("about:blank")
    tab.set_viewport_size(tab.first_size)
    tab.emulate_media(reduced_motion="null")
    tab.mouse.move(0, 0)
    tab.faults.clear()
    dark = tab.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")

    def open(hash="", book=True, **explorers):
        answers = planted(explorers, dark, book)
        tab.goto("about:blank")
        tab.unroute_all()
        tab.route("**/*", lambda route: route.fulfill(**answers.get(route.request.url, {"status": 404})))
        tab.goto(HOME + hash)
        tab.get_by_role("group", name=re.compile("^Explorer: ")).first.wait_for()
        return tab

    yield open
    assert tab.faults == []
