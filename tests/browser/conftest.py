"""The built book served as GitHub Pages does, and Chromium with all other hosts out of reach."""

import functools
import http.server
import os
import shutil
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from offline import Package, fetch, unpack
from page_checks import watch
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text())
PREFIX = urlsplit(CONFIG["html"]["baseurl"]).path  # /hilladam/

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


class Handler(http.server.SimpleHTTPRequestHandler):
    def translate_path(self, path):
        return super().translate_path("/" + path.removeprefix(PREFIX))

    def send_error(self, code, *args):
        page = Path(self.directory, "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", len(page))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address(site):
    handler = functools.partial(Handler, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("no Chromium here; Debian's package is called chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, chromium_sandbox=False, args=QUIET + CUT)
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
