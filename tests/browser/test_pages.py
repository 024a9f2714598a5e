"""Every page of the built book in Chromium, with all other hosts out of reach."""

import io
import os
import re
import time
from pathlib import Path

import pdf
import pytest
from gestures import ON_A_DESK, place, settled
from look_checks import CLIPPED, CUT_OFF, LOOK, SMALL, STRAYED, TINY, UNSEEN
from page_checks import LIMIT, NAMELESS, UNREACHED, UNSET, excess, settle, violations, watch, weight
from PIL import Image, ImageColor
from playwright.sync_api import expect

ROOT = Path(__file__).parents[2]
SOURCES = sorted(str(path.relative_to(ROOT).with_suffix(".html")) for path in ROOT.glob("book/**/*.[im][pd]*"))
PAGES = [*SOURCES, "genindex.html", "search.html"]

# A wide family and a narrow one, for sans serif and for code: on Debian, and elsewhere.
FAMILIES = {
    "wide": ("DejaVu Sans, Verdana, sans-serif", "DejaVu Sans Mono, Menlo, monospace"),
    "narrow": ("Liberation Sans, Arial, sans-serif", "Liberation Mono, Courier New, monospace"),
}
WIDTHS = [1360, 390, 360, 320, 305]  # 305 pixels are 320 beside a scroll bar
LISTS = {*(name for name in PAGES if name.startswith("book/api/")), "genindex.html", "search.html"}
SCREENS = "document.documentElement.scrollHeight / 900"
GRIDS = [1360, 1200, 1100, 390]  # with a margin, with a narrow one, without one, on a phone


ON_DESKS = [("light-desktop", name) for name in PAGES]
# On a phone the lists of names are what they are on a desk.
ON_PHONES = [("dark-phone", name) for name in PAGES if not name.startswith(("book/api/", "genindex"))]
DESKS = pytest.mark.parametrize("view, opened", ON_DESKS, indirect=True)
DESKS_AND_PHONES = pytest.mark.parametrize("view, opened", ON_DESKS + ON_PHONES, indirect=True)


@pytest.fixture(scope="module")
def tab(view, address):
    """Where one page of the book is opened after the other."""
    with view.new_page() as tab:
        watch(tab, address)
        tab.first_size = tab.viewport_size
        yield tab


@pytest.fixture(scope="module")
def opened(tab, address, request):
    """A page of the book, opened once for all that is asked of it, in the order in which the tests stand here."""
    tab.goto("about:blank")
    tab.set_viewport_size(tab.first_size)
    tab.answers.clear()
    tab.faults.clear()
    settle(tab, address + request.param)
    return tab


@DESKS_AND_PHONES
def test_loads_whole_and_light(opened):
    assert opened.faults == []
    assert opened.evaluate(UNSET) == []
    assert opened.evaluate(NAMELESS) == []
    assert weight(opened.answers) < LIMIT
    if opened.evaluate("matchMedia('(pointer: coarse)').matches"):
        assert opened.evaluate(SMALL) == []


@DESKS_AND_PHONES
def test_is_accessible(opened, axe):
    assert violations(opened, axe) == []


def set_in(page, family):
    """Set the page in a family of fonts, and return how wide a sample of it is."""
    text, code = FAMILIES[family]
    style = f"--pst-font-family-base: {text}; --pst-font-family-heading: {text}; --pst-font-family-monospace: {code}"
    page.evaluate("style => document.documentElement.style = style", style)
    return page.evaluate(f"""() => {{
        const context = document.createElement("canvas").getContext("2d");
        context.font = "100px {text}";
        return context.measureText("Hill-ADAM leaves local minima").width;
    }}""")


@ON_A_DESK
def test_there_are_two_families_to_test_with(page, address):
    page.goto(address + "book/references.html")
    if not set_in(page, "wide") > 1.1 * set_in(page, "narrow"):
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("no two families here; Debian has them in fonts-dejavu-core and fonts-liberation")


def misfits(page):
    """Return what does not fit the window, with all unfolded: what is folded no key reaches, and nobody sees."""
    page.evaluate("for (const fold of document.querySelectorAll('.hilladam details')) fold.open = true")
    found = [f"no key scrolls {box}" for box in page.evaluate(UNREACHED)]
    return [f"scrolls sideways by {excess(page)} pixels", *found] if excess(page) > 0 else found


@DESKS
def test_looks_as_it_should(opened, address):
    faults = []
    if opened.url.removeprefix(address) not in LISTS and (height := opened.evaluate(SCREENS)) > 15:
        faults.append(f"{height} screens high")
    for width in GRIDS:
        opened.set_viewport_size({"width": width, "height": 900})
        settled(opened)
        faults += [f"{width}: {fault}" for fault in opened.evaluate(LOOK)]
    assert faults == []


@DESKS
def test_no_mark_of_punctuation_begins_a_line(opened):
    faults = []
    for width in GRIDS:
        opened.set_viewport_size({"width": width, "height": 900})
        faults += [f"{width}: {fault}" for fault in opened.evaluate(STRAYED)]
    assert faults == []


@DESKS_AND_PHONES
def test_its_explorers_are_seen_as_a_whole(opened):
    phone = opened.evaluate("matchMedia('(pointer: coarse)').matches")
    opened.set_viewport_size({"width": 390, "height": 844} if phone else {"width": 1360, "height": 900})
    settled(opened)
    heights = opened.evaluate("""() => [...document.querySelectorAll(".hilladam")].map((explorer) => {
        explorer.scrollIntoView();
        return explorer.getBoundingClientRect().height;
    })""")
    assert not [height for height in heights if height > (700 if phone else 850)]
    beside = "[...document.querySelectorAll('.hilladam .fold')].map((fold) => getComputedStyle(fold).paddingLeft)"
    assert set(opened.evaluate(beside)) <= {"0px"}, "a fold of an explorer is set like one of the text"


@pytest.mark.parametrize("view, opened", ON_PHONES, indirect=True)
def test_fits_the_narrowest_phone(opened):
    opened.set_viewport_size({"width": 320, "height": 700})
    settled(opened)
    assert excess(opened) <= 0
    assert opened.evaluate(CUT_OFF) == []
    assert opened.evaluate(CLIPPED) == []
    assert opened.evaluate(UNSEEN) == []
    assert opened.evaluate(TINY) == []
    back = opened.locator("#pst-back-to-top")
    assert back.evaluate("back => { back.style.display = 'block'; return getComputedStyle(back).display; }") == "none"


@DESKS
@pytest.mark.parametrize("family", FAMILIES)
def test_fits_every_width(opened, family):
    set_in(opened, family)
    faults = []
    for width in WIDTHS:
        opened.set_viewport_size({"width": width, "height": 844})
        settled(opened)
        # Explorers follow, and the theme waits 0.3 s before it sees which boxes scroll.
        deadline = time.monotonic() + 3
        while (found := misfits(opened)) and time.monotonic() < deadline:
            opened.wait_for_timeout(100)
        faults += [f"{width}: {fault}" for fault in found]
    assert faults == []


def test_the_sidebar_is_accessible_in_the_dark(browser, address, axe):  # a phone hides it
    with browser.new_page(color_scheme="dark") as page:
        page.goto(address + "book/references.html")
        assert violations(page, axe) == []


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


def test_results_show_formulas_set_and_no_menus(page, address):
    page.goto(address + "search.html?q=carries")
    expect(page.get_by_text("Search finished")).to_be_visible()
    summaries = page.locator("#search-results p.context")
    expect(summaries.locator("mjx-container").first).to_be_visible()
    expect(summaries.filter(has_text=re.compile(r"\\\(|lines of Python|Open issue|Contents"))).to_have_count(0)
    assert page.faults == []


def test_what_is_searched_for_stands_beside_the_glass(page, address):
    page.goto(address + "search.html?q=escape")
    glass = place(page.locator(".bd-search-container .fa-magnifying-glass"))
    box = page.locator(".bd-search-container #search-input")
    text = box.evaluate("e => e.getBoundingClientRect().left + parseFloat(getComputedStyle(e).paddingLeft)")
    assert text >= glass["x"] + glass["width"]


def test_a_table_of_many_columns_has_the_width_of_the_page(page, address):
    page.set_viewport_size({"width": 768, "height": 900})
    page.goto(address + "book/notation.html", wait_until="domcontentloaded")
    widths = page.locator(".pst-scrollable-table-container > table").evaluate_all(
        "(tables) => tables.map((table) => [table.offsetWidth, table.parentElement.clientWidth])"
    )
    assert widths and all(width == room for width, room in widths)


@ON_A_DESK
@pytest.mark.parametrize("name", ["api", "api/experiments"])
def test_no_line_ends_within_the_name_of_an_option(page, address, name):
    page.goto(f"{address}book/{name}.html", wait_until="domcontentloaded")
    for width in GRIDS + WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        lines = (
            page.locator("article code .pre")
            .filter(has_text="--")
            .evaluate_all("(words) => words.map((word) => [word.textContent, word.getClientRects().length])")
        )
        assert lines and not [word for word, count in lines if word.startswith("--") and count > 1], width


@ON_A_DESK
@pytest.mark.parametrize("name", ["book/index.html", "book/notation.html", "book/references.html"])
def test_a_link_to_the_next_page_has_the_room_of_one_that_is_not_there(page, address, name):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address + name, wait_until="domcontentloaded")
    page.locator(".prev-next-title").evaluate_all(
        "(all) => all.forEach((each) => (each.textContent = 'word '.repeat(20)))"
    )
    room = page.locator(".prev-next-area").evaluate("({ clientWidth }) => clientWidth")
    widths = page.locator(".prev-next-area > a").evaluate_all("(links) => links.map((link) => link.offsetWidth)")
    assert widths and sum(widths) > 0.8 * room and max(widths) <= room, widths


@ON_A_DESK
def test_no_signature_is_cut_where_paper_ends(page, address):
    page.goto(address + "book/api/losses.html", wait_until="domcontentloaded")
    page.emulate_media(media="print")
    inside = page.locator("dl.py > dt").evaluate_all("(all) => all.map((dt) => getComputedStyle(dt).breakInside)")
    assert set(inside) == {"avoid"}


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


@pytest.mark.parametrize("media", ["site", "pdf"])
def test_tables_fit_their_paper(page, address, media):
    page.goto(address + "book/beyond/tuning-itself.html", wait_until="networkidle")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680 if media == "site" else pdf.WIDTH, "height": 900})
    if media == "pdf":
        page.evaluate(pdf.FIT)
    tables = page.locator("table.dataframe").evaluate_all("""(tables) => tables.map((table) => {
        const box = table.closest(".text_html"), { overflowX } = getComputedStyle(box);
        const size = parseFloat(getComputedStyle(table).fontSize);
        const lines = [...table.querySelectorAll("tbody tr")].map((row) => row.offsetHeight / size);
        return [table.offsetWidth <= box.clientWidth + 1, overflowX, Math.max(...lines)];
    })""")
    assert tables and all(fits and overflow == "visible" for fits, overflow, _ in tables)
    assert media == "site" or max(lines for _, _, lines in tables) < 2.5


FIGURES = [("hill-adam/algorithm", "fig-algorithm-clear"), ("neighbours/the-race", "fig-race-paths")]  # one is wide


@pytest.mark.parametrize("name, figure", FIGURES)
def test_figures_and_explorers_have_the_ground_of_the_page(browser, address, name, figure):
    for theme, ground in (("light", (255, 255, 255)), ("dark", (20, 24, 30))):
        with browser.new_page(color_scheme=theme, viewport={"width": 1360, "height": 900}) as page:
            page.goto(address + f"book/{name}.html", wait_until="networkidle")
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == f"rgb{ground}"
            image = page.locator(f"#{figure} img")
            image.scroll_into_view_if_needed()
            image.evaluate("image => image.decode()")
            shot = Image.open(io.BytesIO(image.screenshot())).convert("RGB")
            assert shot.getpixel((2, 2)) == ground
            darkest, lightest = shot.getextrema()[0]
            assert lightest - darkest > 100  # there is something on it
            page.set_viewport_size({"width": 390, "height": 844})  # where it scrolls
            assert Image.open(io.BytesIO(image.screenshot())).convert("RGB").getpixel((2, 2)) == ground
            paper = page.evaluate("getComputedStyle(document.querySelector('.hilladam')).getPropertyValue('--paper')")
            assert ImageColor.getrgb(paper.strip()) == ground
