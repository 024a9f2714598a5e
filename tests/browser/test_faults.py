"""What the tests of the pages look for is found where it is: each fault is planted in a page once."""

import http.server
import threading

import pytest
from gestures import YARDSTICK, frames
from look_checks import CLIPPED, LOOK, SMALL, STRAYED, TINY, UNSEEN
from page_checks import LIMIT, NAMELESS, UNREACHED, UNSET, excess, settle, violations, watch, weight


@pytest.fixture(scope="module")
def elsewhere():
    """Another host, which is within reach, and the list of what it was asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.fixture(scope="module")
def opened(browser, address):
    """A page of the book, on a phone."""
    with browser.new_page(viewport={"width": 390, "height": 844}) as page:
        watch(page, address)
        settle(page, address + "book/notation.html")
        page.evaluate("window.sound = document.body.cloneNode(true)")
        yield page


@pytest.fixture
def sound(opened):
    """A page without a fault; what a test plants in it is away before the next."""
    assert opened.faults == [] and excess(opened) <= 0 and opened.evaluate(UNSET) == []
    yield opened
    opened.evaluate("document.body = sound.cloneNode(true)")
    opened.faults.clear()


@pytest.mark.parametrize(
    "asking",
    [
        "fetch('http://{}/asked').catch(() => 0)",
        "document.body.append(Object.assign(new Image(), {{src: 'http://{}/asked'}}))",
        "document.body.append(Object.assign(document.createElement('script'), {{src: 'http://{}/asked'}}))",
        "void new WebSocket('ws://{}/asked')",
    ],
)
def test_a_request_to_another_host_is_a_fault_and_goes_nowhere(sound, elsewhere, asking):
    host, asked = elsewhere
    sound.evaluate(asking.format(host))
    sound.wait_for_timeout(200)
    assert any(fault.startswith("asks another host: ") and fault.endswith(f"{host}/asked") for fault in sound.faults)
    assert asked == []


@pytest.mark.parametrize("where", ["http://example.org/", "https://example.org/"])
def test_no_page_reaches_another_host_by_name(browser, where):
    with browser.new_page() as page, pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        page.goto(where)


@pytest.mark.parametrize(
    "planted, fault",
    [
        ("setTimeout(() => { throw new Error('planted') })", "script error: planted"),
        ("console.error('planted')", "console: planted"),
        ("fetch('planted')", "404: "),
    ],
)
def test_what_goes_wrong_in_a_page_is_a_fault(sound, planted, fault):
    sound.evaluate(f"() => {{ {planted} }}")
    sound.wait_for_timeout(200)
    assert any(each.startswith(fault) for each in sound.faults)


def plant(page, html):
    page.evaluate("html => document.querySelector('article').insertAdjacentHTML('beforeend', html)", html)


def test_a_line_that_is_too_wide_is_found(sound):
    plant(sound, "<p style='white-space: nowrap'>" + "wide " * 60)
    assert excess(sound) > 0


def test_a_box_that_no_key_scrolls_is_found(sound):
    before = sound.evaluate(UNREACHED)
    plant(sound, "<div style='width: 50px; overflow: auto; white-space: nowrap'>" + "wide " * 30)
    assert len(sound.evaluate(UNREACHED)) == len(before) + 1


def test_a_formula_left_as_text_is_found(sound):
    plant(sound, r"<span class='math'>\(x\)</span>")
    assert sound.evaluate(UNSET) == [r"\(x\)"]


@pytest.mark.parametrize("before, after", [("", ", so"), ("", "-th"), ("so (", "")])
def test_a_mark_parted_from_its_formula_is_found(sound, before, after):
    assert sound.evaluate(STRAYED) == []
    formula = "<span class='math'><mjx-math style='display: inline-block; width: 100px; height: 1em'></mjx-math></span>"
    plant(sound, f"<p style='width: 100px'>{before}{formula}{after}</p>")
    assert len(sound.evaluate(STRAYED)) == 1


def test_an_icon_without_a_picture_is_found(sound):
    assert sound.evaluate(NAMELESS) == []
    plant(sound, "<i class='fas fa-dragon'></i>")
    assert sound.evaluate(NAMELESS) == ["fas fa-dragon"]


@pytest.mark.parametrize(
    "rule, html",
    [
        ("image-alt", "<img src='../_static/logo.svg'>"),
        ("color-contrast", "<p style='color: #777; background: #888'>Some text.</p>"),
        (
            "scrollable-region-focusable",
            "<div style='width: 50px; overflow: auto; white-space: nowrap'>" + "wide " * 30,
        ),
        ("label", "<input type='text'>"),
    ],
)
def test_axe_finds_what_is_not_accessible(sound, axe, rule, html):
    plant(sound, html)
    assert any(found.startswith(rule) for found in violations(sound, axe))


def test_a_heavy_page_is_found(sound):
    before = weight(sound.answers)
    assert 0 < before < LIMIT
    sound.evaluate("fetch('../_static/vendor/mathjax/ui/menu.js').then(answer => answer.text())")
    assert weight(sound.answers) > before + 100_000


@pytest.mark.parametrize(
    "words, html",
    [
        ("thin letters", "<p style='font-weight: 300'>Some text."),
        ("cut off", "<div style='width: 50px; overflow: hidden; white-space: nowrap'>" + "wide " * 30),
        ("font-size is 12px, not 17", "<section><p style='font-size: 12px'>Some text."),
        ("a line too long to read", "<section><p style='width: 700px; max-width: none'>Some text."),
        ("border-left-width is 3px, not 0", "<table><td style='border-left: 3px solid'>1</table>"),
        ("an interval on two lines", "<table><td><span class='together'>(0.96–<br>1.00)</span></table>"),
        ("an interval on two lines", "<table><td><p>Eqs. <span class='together'>2–<br>3</span></p></table>"),
        ("the finding is not bold", "<figure><figcaption><p><strong style='font-weight: 400'>So.</strong>"),
        ("out of shape", "<figure><img src='../_static/logo.svg' width=100 style='height: 100px'></figure>"),
    ],
)
def test_what_looks_wrong_is_found(sound, words, html):
    assert sound.evaluate(LOOK) == []
    plant(sound, html)
    sound.wait_for_function("[...document.images].every(image => image.complete)")
    assert any(fault.startswith(words) for fault in sound.evaluate(LOOK))


WIDE = """<div class="math" style="width: 200px">{}<mjx-container display="true" style="position: absolute">
<mjx-math style="display: inline-block; width: {}px">x</mjx-math></mjx-container></div>"""


@pytest.mark.parametrize(
    "words, html",
    [
        ("a formula too wide", WIDE.format("", 240)),
        ("a formula runs into its number", WIDE.format("<span class='eqno' style='float: right'>(1)</span>", 190)),
    ],
)
def test_a_formula_that_does_not_fit_is_found(sound, words, html):
    sound.set_viewport_size({"width": 1100, "height": 900})
    assert sound.evaluate(LOOK) == []
    plant(sound, html)
    assert any(fault.startswith(words) for fault in sound.evaluate(LOOK))


def test_what_is_too_small_for_a_finger_is_found(sound):
    before = sound.evaluate(SMALL)
    plant(sound, "<button style='height: 20px; min-height: 0'>tap</button>")
    assert len(sound.evaluate(SMALL)) == len(before) + 1


@pytest.mark.parametrize("style", ["--inches: 6.5; width: 350px; min-width: 0", "width: 600px"])
def test_a_figure_with_tiny_letters_is_found(sound, style):
    assert sound.evaluate(TINY) == []
    plant(sound, f"<div class='sideways'><img src='../_static/logo.svg' style='{style}'></div>")
    assert len(sound.evaluate(TINY)) == 1


def test_a_sign_that_is_not_seen_and_takes_room_is_found(sound):
    before = sound.evaluate(UNSEEN)
    plant(sound, "<figcaption>So.<a class='headerlink' style='display: inline; visibility: hidden'>#</a></figcaption>")
    assert len(sound.evaluate(UNSEEN)) == len(before) + 1


def test_a_title_that_is_cut_off_between_the_arrows_is_found(sound):
    assert sound.evaluate(CLIPPED) == []
    word = "<span style='white-space: nowrap'>" + "x" * 60 + "</span>"
    sound.evaluate("word => document.querySelector('.prev-next-area .prev-next-title').innerHTML = word", word)
    assert len(sound.evaluate(CLIPPED)) == 1


def test_a_frame_that_costs_too_much_is_found(sound):
    frame = f"""yardsticks => new Promise((done) => {{
        let left = 20;
        const next = () => {{
            for (let i = 0; i < yardsticks; i++) ({YARDSTICK})();
            left-- ? requestAnimationFrame(next) : done();
        }};
        next();
    }})"""
    for yardsticks, late in {0: False, 2: True}.items():
        with frames(sound) as cost:
            sound.evaluate(frame, yardsticks)
        assert (cost[0] > 1) is late, cost
