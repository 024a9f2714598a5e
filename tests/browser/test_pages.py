"""Every page of the built book in Chromium, with all other hosts out of reach."""

from pathlib import Path

import pytest

BOOK = Path(__file__).parents[2] / "book"
PAGES = sorted(str(path.relative_to(BOOK).with_suffix(".html")) for path in BOOK.glob("**/*.[im][pd]*"))


@pytest.mark.parametrize("name", PAGES)
def test_loads_whole(page, address, name):
    page.goto(address + "book/" + name, wait_until="networkidle")
    page.wait_for_function("!window.MathJax || window.MathJax.startup?.promise")  # at first it is its settings alone
    page.evaluate("window.MathJax?.startup.promise")
    assert page.faults == []
    unset = "math => !math.querySelector('mjx-container') && math.textContent.trim()"
    assert not page.evaluate(f"[...document.querySelectorAll('.math')].some({unset})"), "mathematics left as text"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), "scrolls sideways"


def test_the_root_leads_to_the_first_page(page, address):
    page.goto(address)
    page.wait_for_url("**/book/index.html")
