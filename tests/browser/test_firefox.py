"""The explorers in Firefox, where it is installed: the tests of the other files, in another browser."""

import firefox
import pytest
from page_checks import excess
from playwright.sync_api import sync_playwright
from test_anywhere import SHOWN
from test_crossing import *  # noqa: F403
from test_golf import *  # noqa: F403
from test_shared import *  # noqa: F403
from test_success_map import *  # noqa: F403

from hilladam import widgets

# What Playwright cannot do here: a finger, the permission to use the clipboard, files that are saved, another clock.
for name in (
    "test_a_finger_drags_and_does_not_scroll",
    "test_the_link_is_copied_by_keys",
    "test_the_picture_is_saved_as_svg",
    "test_the_picture_is_saved_as_png",
    "test_every_explorer_has_what_all_share",
    "test_a_slow_machine_computes_in_slices_and_says_so",
):
    del globals()[name]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not firefox.found():
        pytest.skip("no Firefox here; Debian's package is called firefox-esr")
    program = firefox.stand_in(tmp_path_factory.mktemp("firefox"))
    with sync_playwright() as playwright:
        browser = playwright.firefox.launch(channel="moz-firefox", executable_path=program)
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=["light-desktop"])
def view(request, browser):
    with browser.new_context(viewport={"width": 1360, "height": 900}) as context:
        yield context


@pytest.mark.parametrize("name", [name for name in widgets.__all__ if name.endswith("Explorer")])
def test_every_explorer_stands_and_hears_keys(plant, name):
    page = plant(fig=getattr(widgets, name)())
    page.wait_for_function("document.querySelectorAll('.hilladam svg path[d]').length > 3")
    before = page.evaluate(f"({SHOWN})(document.querySelector('.hilladam'))")
    handle = page.locator(".hilladam :is(.slider input, .handle[tabindex]):visible").first
    handle.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):  # another value, also from the lowest or the highest
        page.keyboard.press(key)
    page.wait_for_function(f"before => ({SHOWN})(document.querySelector('.hilladam')) !== before", arg=before)
    assert excess(page) <= 0
