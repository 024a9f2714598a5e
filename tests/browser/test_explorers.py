"""The explorers react in the page to pointer, touch and keys, with no kernel behind them."""

import re
from pathlib import Path

import pytest
from gestures import ON_A_DESK, frames, middle, place, press, pull, settled, swipe
from playwright.sync_api import expect

BOOK = Path(__file__).parents[2] / "book"
CROSSING = {"ClimbExplorer": "one climb", "ReturnMapExplorer": "from turn to turn"}
CHAPTERS = [
    path.relative_to(BOOK).with_suffix("").as_posix()
    for path in sorted(BOOK.glob("**/*.ipynb"))
    if ".ipynb_checkpoints" not in path.parts and "Explorer(" in path.read_text(encoding="utf-8")
]
SHOWN = [
    (path.relative_to(BOOK).with_suffix("").as_posix(), title)
    for path in sorted(BOOK.glob("**/*.ipynb"))
    for name, title in CROSSING.items()
    if ".ipynb_checkpoints" not in path.parts and f"{name}(" in path.read_text(encoding="utf-8")
]


@pytest.fixture
def explorer(page, address):
    """Open a page of the book, without MathJax, and wait for the explorer of that name in it."""
    page.route("**/mathjax/**", lambda route: route.fulfill(body="", content_type="text/javascript"))

    def open(name, title):
        page.goto(f"{address}book/{name}.html")
        explorer = page.get_by_role("group", name=re.compile(f"^Explorer: {title}")).first
        explorer.wait_for()
        explorer.scroll_into_view_if_needed()
        return explorer

    yield open
    assert page.faults == []


@pytest.fixture
def hill(explorer):
    return explorer("hill-adam/algorithm", "optimizers on a hill")


def traces(hill):
    return [path.get_attribute("d") for path in hill.locator("path.run").all()]


@ON_A_DESK
def test_the_explorer_takes_the_place_of_its_picture(page, hill):
    figure = page.locator("figure", has=hill)
    expect(figure.locator("img.static-picture")).to_be_hidden()
    expect(figure.locator("figcaption")).to_be_visible()


def test_without_scripts_there_is_the_picture(browser, address):
    with browser.new_context(java_script_enabled=False) as context, context.new_page() as page:
        page.goto(address + "book/index.html")
        picture = page.locator("img.static-picture")
        expect(picture).to_be_visible()
        assert "two valleys" in picture.get_attribute("alt")


@ON_A_DESK
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_page_that_is_paper_at_first_has_its_explorers_on_a_screen(page, address, name):
    page.route("**/mathjax/**", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.emulate_media(media="print")  # where an explorer has no size
    page.goto(f"{address}book/{name}.html", wait_until="networkidle")
    expect(page.locator("img.static-picture").first).to_be_visible()
    page.emulate_media(media="screen")
    expect(page.get_by_role("group", name=re.compile("^Explorer: ")).first).to_be_visible()
    page.wait_for_timeout(200)
    assert page.faults == []


def test_the_start_moves_by_keys(page, hill):
    start, before = hill.get_by_role("slider", name="start"), traces(hill)
    press(page, start, "Shift+ArrowLeft", "ArrowRight")
    page.wait_for_function("before => document.querySelector('path.run').getAttribute('d') !== before", arg=before[0])


@ON_A_DESK
def test_the_start_moves_with_the_pointer_and_the_page_keeps_up(page, hill):
    start = hill.get_by_role("slider", name="start")
    for box in hill.get_by_role("checkbox").all():
        box.check()
    x, y = middle(start)
    page.mouse.move(x, y)
    page.mouse.down()
    with frames(page) as cost:
        for i in range(60):
            page.mouse.move(x - 2 * i, y)
    page.mouse.up()
    assert start.get_attribute("aria-valuetext") != "x = 1.4"
    assert cost[0] < 1, "a frame costs the page more than it may, with all seven optimizers running"


@pytest.mark.parametrize("touched", ["start", "ball"])
def test_the_start_moves_under_a_finger(browser, address, touched):
    with browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True) as context:
        page = context.new_page()
        page.goto(address + "book/hill-adam/algorithm.html")
        start = page.get_by_role("slider", name="start")
        thing = start if touched == "start" else page.locator(".ball[data-optimizer=Adam] circle:not(.reach)")
        place = middle(thing)
        page.evaluate("document.addEventListener('pointermove', () => (window.moves = (window.moves ?? 0) + 1), true)")
        top = page.evaluate("scrollY")
        swipe(page, place, -88, 88)
        expect(start).not_to_have_attribute("aria-valuetext", "x = 1.4")
        assert page.evaluate("moves") >= 8, "the browser took the drag for a scroll"
        assert page.evaluate("scrollY") == top


def test_sliders_run_it_again(page, hill):
    before = traces(hill)
    hill.get_by_role("slider", name="λ", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("before => document.querySelector('path.run').getAttribute('d') !== before", arg=before[0])
    expect(hill.get_by_role("slider", name="λ", exact=True)).to_have_attribute("aria-valuetext", "0.013")


@ON_A_DESK
def test_it_plays_and_pauses(page, hill):
    step = hill.get_by_role("slider", name="step", exact=True)
    assert step.input_value() == "0"
    hill.get_by_role("button", name="Play").click()
    page.wait_for_function("Number(document.querySelector('.hilladam input[name=step]').value) % 300 > 5")
    hill.get_by_role("button", name="Pause").click()
    paused = int(step.input_value())
    hill.get_by_role("button", name="+1 step").click()
    expect(step).to_have_value(str(paused + 1))
    hill.get_by_role("button", name="0: back to the start").click()
    expect(step).to_have_value("0")


@ON_A_DESK
def test_a_polynomial_of_ones_own(hill):
    hill.get_by_role("combobox", name="loss").select_option(label="your own …")
    formula = hill.get_by_role("textbox", name="f(x) =")
    formula.fill("x^4 - 3x^2 + x/2")
    expect(hill.locator("[role=alert]")).to_be_empty()
    row = hill.get_by_role("row", name=re.compile("Adam"))
    expect(row.first).to_be_visible()
    formula.fill("x^3")
    expect(hill.locator("[role=alert]")).to_contain_text("lowest point")
    hill.get_by_role("combobox", name="loss").select_option(label="double well")
    expect(formula).to_be_hidden()
    expect(hill.locator("[role=alert]")).to_be_empty()


@ON_A_DESK
def test_a_formula_of_ones_own_and_where_it_ends(page, hill):
    hill.get_by_role("combobox", name="loss").select_option(label="your own …")
    formula, alert = hill.get_by_role("textbox", name="f(x) ="), hill.locator("[role=alert]")
    formula.fill("x - log(x)")
    hill.get_by_role("checkbox", name="momentum", exact=True).check()
    for _ in range(16):  # λ = 1 throws it over the edge
        hill.get_by_role("slider", name="λ", exact=True).press("ArrowRight")
    sentence = re.compile(r"momentum ends at step \d+: at x = −\S+ the loss has no value")
    expect(hill.locator(".task strong")).to_contain_text(sentence)
    hill.get_by_role("slider", name="step", exact=True).press("End")
    expect(hill.get_by_role("row", name=re.compile("momentum"))).to_contain_text("none")
    assert "NaN" not in hill.inner_text() and "NaN" not in hill.inner_html()
    formula.fill("sin(20x)")
    expect(alert).to_contain_text("it has 64 valleys between -10 and 10; expected at most 60")
    formula.fill("x" * 100_000)
    expect(alert).to_contain_text("100000 characters; expected at most 300")
    formula.fill("constructor")
    expect(alert).to_contain_text("“constructor”")


@ON_A_DESK
def test_each_optimizer_has_its_own_rate(page, hill):
    hill.get_by_text("λ of each").click()
    adam = hill.get_by_role("slider", name="λ of Adam", exact=True)
    expect(hill.get_by_role("slider", name="λ of momentum", exact=True)).to_have_count(0)
    ours = "document.querySelector('path.run[data-optimizer=\"{}\"]').getAttribute('d')"
    before, other = page.evaluate(ours.format("Adam")), page.evaluate(ours.format("Hill-ADAM"))
    adam.press("ArrowRight")
    page.wait_for_function(f"before => {ours.format('Adam')} !== before", arg=before)
    assert page.evaluate(ours.format("Hill-ADAM")) == other
    expect(hill.get_by_role("row", name=re.compile("Adam, λ = 0.013"))).to_be_visible()
    hill.get_by_role("slider", name="λ", exact=True).press("ArrowLeft")  # moves all of them
    expect(adam).to_have_attribute("aria-valuetext", "0.0075")
    expect(hill.get_by_role("row", name=re.compile("λ ="))).to_have_count(0)


@ON_A_DESK
def test_a_ball_is_dragged_and_the_runs_begin_there(page, hill):
    start, step = hill.get_by_role("slider", name="start"), hill.get_by_role("slider", name="step", exact=True)
    step.press("End")
    start.press("Home")  # away from the balls
    settled(page)
    before = start.get_attribute("aria-valuetext")
    ball = hill.locator(".ball[data-optimizer=Adam]")
    ball.scroll_into_view_if_needed()
    settled(page)
    box = place(ball.locator("circle:not(.reach)"))
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(1, 6):
        page.mouse.move(x + 8 * i, y)
    page.mouse.up()
    expect(step).to_have_value("0")
    expect(start).not_to_have_attribute("aria-valuetext", before)
    page.wait_for_function("""x => {
      const ball = document.querySelector(".ball[data-optimizer=Adam] circle:not(.reach)").getBoundingClientRect();
      return Math.abs(ball.x + ball.width / 2 - x) < 2;
    }""", arg=x + 40)  # fmt: skip


@ON_A_DESK
def test_a_chosen_loss_opens_before_the_first_turn(hill):
    hill.get_by_role("combobox", name="loss").select_option(label="eighth order")
    expect(hill.get_by_role("slider", name="step", exact=True)).to_have_value("5")
    row = hill.get_by_role("row", name=re.compile("Hill-ADAM"))
    expect(row).to_contain_text("▼ descends, 0 turns")
    expect(row).to_contain_text("not yet")


def test_gradients_are_dragged_and_make_another_step(page, explorer):
    series = explorer("adam/adam-as-a-series", "what past gradients weigh")
    verdict, bar = series.locator(".task .unseen"), series.get_by_role("slider", name="gradient 3", exact=True)
    before = verdict.inner_text()
    press(page, bar, "ArrowUp", "Shift+ArrowDown")
    expect(verdict).not_to_have_text(before)
    pull(page, bar, 0, 30)
    press(page, series.get_by_role("slider", name="β₁"), "ArrowRight")


def test_a_cell_of_the_diagram_shows_its_run(page, explorer):
    phase = explorer("adam/escape-condition", "where Adam escapes")
    cell = phase.get_by_role("slider", name="cell", exact=True)
    press(page, cell, "ArrowRight", "ArrowUp", "Shift+ArrowLeft")
    shown = phase.locator("p.reading").first
    before = shown.inner_text()
    box = place(cell)
    page.mouse.click(box["x"] + box["width"] / 8, box["y"] + box["height"] / 8)
    expect(shown).not_to_have_text(before)
    press(page, phase.get_by_role("slider", name="sweeps"), "ArrowRight")


def test_gains_are_dragged_and_change_the_photograph(page, explorer):
    wells = explorer("experiments/colour", "the gains of a photograph")
    gains = wells.get_by_role("slider", name="gains of red and blue")
    photograph = "document.querySelector('.hilladam canvas[role=img]').toDataURL()"
    page.wait_for_function(f"{photograph}.length > 1000")
    before = page.evaluate(photograph)
    press(page, gains, "ArrowLeft", "Shift+ArrowUp")
    page.wait_for_function(f"before => {photograph} !== before", arg=before)
    losses = [text for text in wells.locator(".places td:nth-child(5)").all_text_contents() if text]
    assert len(losses) > 5 and all(re.fullmatch(r"\d+\.\d{3}", text) for text in losses), "digits under digits"
    pull(page, gains, -20, 20)
    wells.get_by_role("combobox", name="replay").select_option("Adam")
    wells.get_by_role("button", name="Play").click()
    page.wait_for_function("Number(document.querySelector('.hilladam input[name=step]').value) > 5")


def test_the_balls_are_released_heated_and_counted(page, explorer):
    heat = explorer("neighbours/annealing", "heat")
    assert place(heat)["height"] <= 700
    says, step = heat.locator(".say .unseen"), heat.locator("input[name=step]")
    expect(says).to_have_text(re.compile(r"^Step 200: \d+ of 300 are beyond the hill\. At T\s=\s0\.3, exp"))
    boxes = "(heat) => ['text.law', 'path.law'].map((each) => heat.querySelector(each).getBoundingClientRect())"
    name, law = heat.evaluate(f"(heat) => ({boxes})(heat).map(({{ top, bottom }}) => [top, bottom])")
    assert name[1] < law[0], (name, law)
    heat.get_by_role("button", name="Back to the start").click()
    expect(says).to_have_text(re.compile("^300 balls wait at x = 0.9601"))
    heat.get_by_role("button", name="Play").click()
    page.wait_for_function("Number(document.querySelector('.hilladam.heat input[name=step]').value) > 20")
    heat.get_by_role("button", name="Pause").click()
    expect(says).to_have_text(re.compile(r"^Step \d+: \d+ of 300"))
    press(page, heat.get_by_role("slider", name="start"), "ArrowRight", "Shift+ArrowLeft")
    press(page, heat.get_by_role("slider", name="T₀"), "ArrowLeft")
    heat.get_by_role("combobox", name="method").select_option("CoolMomentum")
    expect(heat.get_by_role("slider", name="T₀")).to_be_hidden()
    noise = heat.get_by_role("slider", name="noise σ")
    press(page, noise, "ArrowLeft")
    noise.press("Home")
    expect(says).to_have_text(re.compile("0 of 300 are beyond the hill. There is no heat"))
    heat.get_by_role("combobox", name="method").select_option("simulated annealing")
    expect(heat.get_by_role("slider", name="momentum ρ")).to_be_hidden()
    expect(heat.get_by_role("slider", name="λ", exact=True)).to_have_attribute("aria-valuetext", "0.25")
    before = step.input_value()
    box = place(heat.get_by_role("group", name="The temperature"))
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    expect(step).not_to_have_value(before)


@pytest.mark.parametrize("name, title", SHOWN)
def test_the_explorers_of_crossing_climb_again(page, explorer, name, title):
    shown = explorer(name, title)
    press(page, shown.get_by_role("slider", name="λ", exact=True), "ArrowRight", "ArrowLeft")


TRAINED = "Experiment 1, trained here"
SEEDS = 15


def train(training, steps):
    """Choose a length by keys, and press ▶."""
    training.locator("summary").click()
    slider = training.get_by_role("slider", name="steps")
    slider.fill(str(steps))  # its place among the lengths
    training.get_by_role("button", name="Train").click()


@pytest.mark.parametrize("workers", ["there are", "there are none", "the page forbids"])
def test_the_networks_are_trained_in_the_page(page, explorer, workers):
    if workers == "there are none":
        page.add_init_script("delete window.Worker")
    elif workers == "the page forbids":
        page.add_init_script("""window.Worker = class {
            constructor() { setTimeout(() => this.onerror(new Event("error", { cancelable: true }))); }
            postMessage() {}
            terminate() {}
        };""")
    training = explorer("experiments/polynomials", TRAINED)
    verdict = training.locator(".unseen").first
    adam, hill = (training.get_by_role("row", name=re.compile(f"^{name}")) for name in ("Adam", "Hill-ADAM"))
    expect(hill.get_by_role("cell").last).to_contain_text("not trained")
    train(training, 4)  # 2,000 steps
    expect(training.get_by_role("button", name="Train")).to_be_visible()
    expect(verdict).to_have_text("Hill-ADAM has met the global minimum in 15 of 15 runs, Adam in 0.")
    expect(adam.get_by_role("cell").last).to_have_text("5.192315 × 5.192")
    expect(hill.get_by_role("cell").last).to_have_text(re.compile(r"^2\.886\d15\s×\s2\.886$"))
    expect(hill.get_by_role("cell").first).to_have_text("3.347512 × 2.886 + 3 × 5.192")


def test_a_seed_is_tapped_and_shows_its_run(page, explorer):
    training = explorer("experiments/polynomials", TRAINED)
    train(training, 3)  # 1,000 steps
    expect(training.get_by_role("button", name="Train")).to_be_visible()
    seed, run = training.get_by_role("slider", name="seed"), training.locator("path.run").last
    expect(seed).to_have_attribute("aria-valuetext", re.compile(r"seed 0: Adam 5\.19\d+, Hill-ADAM 2\.88"))
    expect(training.get_by_role("group", name=re.compile(r"^x of seed 0, step by step: \d+ turns"))).to_be_visible()
    before = run.get_attribute("d")
    press(page, seed, "ArrowRight", "End", "Home", "Shift+ArrowRight")
    expect(seed).to_have_attribute("aria-valuetext", re.compile("^seed 10:"))
    expect(run).not_to_have_attribute("d", before)
    seed.scroll_into_view_if_needed()
    box = place(seed)
    page.mouse.click(box["x"] + box["width"] * 3.5 / SEEDS, box["y"] + box["height"] / 2)
    expect(seed).to_have_attribute("aria-valuetext", re.compile("^seed 3:"))


@ON_A_DESK
def test_training_stops_and_other_settings_train_anew(page, explorer):
    page.add_init_script("delete window.Worker")  # whose slices can be slowed down
    page.add_init_script("""const real = window.setTimeout;
        window.setTimeout = (action, wait, ...rest) => real(action, wait === 4 ? 100 : wait, ...rest);""")
    training = explorer("experiments/polynomials", TRAINED)
    training.get_by_role("button", name="Train").click()
    shown = training.locator("strong")
    expect(shown).to_have_text(re.compile(r"^Seed [1-9]\d* of 15: "))
    training.get_by_role("button", name="Stop").click()
    expect(shown).to_have_text(re.compile(r"^Stopped after \d+ seeds?: Hill-ADAM has met"))
    stopped = shown.inner_text()
    page.wait_for_timeout(500)
    assert shown.inner_text() == stopped
    training.get_by_role("combobox", name="loss").select_option("tenth")
    expect(shown).to_have_text(re.compile("^Press ▶"))  # what was shown is not true of this loss
    train(training, 0)  # 100 steps
    expect(training.get_by_role("button", name="Train")).to_be_visible()
    before = training.get_by_role("table").inner_text()
    training.get_by_role("combobox", name="activation").select_option("relu")
    expect(training.get_by_role("table")).not_to_contain_text(before.splitlines()[-1])
    expect(training.get_by_role("button", name="Train")).to_be_visible()
