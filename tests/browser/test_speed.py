"""A page is painted, and its explorers run, while a slow network still brings the rest."""

import gzip
import math
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError as OutOfTime
from serving import Handler, served
from test_anywhere import PAGES

SLOW = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 200_000}  # ms, bytes/s
WATCH = """window.stood = 0;
new MutationObserver(() => {
    const places = [...document.querySelectorAll(".explorer")];
    const all = places.length && places.every((place) => place.querySelector(".hilladam"));
    if (!stood && all && document.readyState !== "loading") stood = performance.now();
}).observe(document, {childList: true, subtree: true});"""


class Compressing(Handler):
    def do_GET(self):
        path = Path(self.translate_path(self.path))
        packs = path.suffix in {".html", ".css", ".js", ".svg"}
        body = gzip.compress(path.read_bytes()) if packs else path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", len(body))
        if packs:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)


def times(browser, address):
    """Return after how many milliseconds a first visit sees something, and its explorers run."""
    with browser.new_page(viewport={"width": 390, "height": 844}) as page:
        page.add_init_script(WATCH)
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        network.send("Network.emulateNetworkConditions", SLOW)
        try:
            page.goto(address, wait_until="commit")
            page.wait_for_function("stood", timeout=20_000)
        except OutOfTime:  # a browser that stands still
            return math.inf, math.inf
        painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        return painted, page.evaluate("stood")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_there_in_two_seconds_and_its_explorers_in_four(browser, site, name):
    with served(site, Compressing) as address:
        tried = [times(browser, address + name)]
        while len(tried) < 3 and not (tried[-1][0] < 2000 and tried[-1][1] < 4000):  # somebody else is busy here
            tried.append(times(browser, address + name))
    assert tried[-1][0] < 2000 and tried[-1][1] < 4000, tried
