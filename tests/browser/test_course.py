"""No tuning: λ and the units are moved, and one strip falls apart while the other stays."""

import re

import pytest
from gestures import ON_A_DESK, drag, middle, press, settled
from planting import trait
from playwright.sync_api import expect

from hilladam.widgets import CourseExplorer
from hilladam.widgets._crossing import gate_of

RULES = ("tuning itself", "published")


def opened(plant, **settings):
    page = plant(fig=CourseExplorer(**settings))
    return page, page.get_by_role("group", name="Explorer: no tuning")


def counts(page, course):
    """How many starts each strip says are green, once all are known."""
    settled(page)
    names = course.locator(".stripname")
    for name in names.all():
        expect(name).to_have_text(re.compile(r": \d+ of 240 starts"))
    return [int(re.search(r": (\d+) of", name)[1]) for name in names.all_text_contents()]


def test_it_opens_before_the_surprise_and_plays(plant):
    page, course = opened(plant, speed=1000, steps=300)
    explorer = CourseExplorer(steps=300)
    gate = gate_of(explorer.polynomial.stationary_points)
    arrives = int((explorer.run().losses < gate).argmax())
    assert arrives > 0 and not (explorer.run("published").losses < gate).any()
    says = course.locator(".say .unseen")
    expect(says).to_contain_text("Press ▶")
    expect(course.locator(".ball").first).to_be_hidden()
    assert [path.get_attribute("d") for path in course.locator("path.arrives").all()] == ["", ""]
    course.get_by_role("button", name="Play").click()
    page.wait_for_function("models.fig.get('step') === 300")
    expect(says).to_contain_text(
        f"The rule that tunes itself is in the deepest valley at step {arrives}, the published one never."
    )
    expect(says).to_contain_text(
        re.compile(r"It turned \d+ times: \d+ standing still, \d+ over a crest, \d+ at the lid")
    )
    course.get_by_role("button", name="Reset").click()
    expect(says).to_contain_text("Press ▶")


@ON_A_DESK
@pytest.mark.parametrize("settings", [dict(lr=1e-6), dict(height=-12, width=6), dict(loss="tenth", lr=1.0)])
def test_the_strips_are_those_of_the_package(plant, settings):
    page, course = opened(plant, step=5000, steps=500, **settings)
    explorer = CourseExplorer(steps=500, **settings)
    reached = [explorer.reached(name) for name in RULES]
    assert counts(page, course) == [hits.sum() for hits in reached]
    strips = [course.locator(each).all() for each in ("rect.ground", "path.arrives")]
    for ground, strip, hits in zip(*strips, reached, strict=True):
        runs = [tuple(map(float, each)) for each in re.findall(r"M([\d.]+) [\d.]+H([\d.]+)V", strip.get_attribute("d"))]
        left, width = (float(ground.get_attribute(name)) for name in ("x", "width"))
        centres = [left + (i + 0.5) / 240 * width for i in range(240)]
        assert [any(a < x < b for a, b in runs) for x in centres] == hits.tolist()


@ON_A_DESK
def test_one_strip_falls_apart_and_the_other_stays(plant):
    page, course = opened(plant, lr=1.0)
    for name, ends in {"λ": ("Home", "End"), "loss × 2ᵏ, k =": ("Home",), "x × 2ᵏ, k =": ("Home", "End")}.items():
        slider = course.get_by_role("slider", name=name, exact=True)
        opening = slider.input_value()
        for key in ends:
            slider.press(key)
            assert trait(page, "step") == 1000, "a setting that moves shows what comes of it"
            own, published = counts(page, course)
            assert own >= 235 and published < 200, (name, key)
        slider.fill(opening)
    own, published = counts(page, course)
    assert own >= 235 and published == 240


@ON_A_DESK
def test_the_lid_is_a_line_and_the_turns_say_why(plant):
    page, course = opened(plant, steps=300)
    explorer = CourseExplorer(steps=300)
    run, lids = explorer.run(), explorer.lids()
    wall = next(t for t in run.switches if run.reasons[t] == 3)
    page.evaluate("step => models.fig.set('step', step)", int(wall) + 1)
    expect(course.locator(".lidname")).to_have_text(re.compile(r"^lid: 2 heights of hills up"))
    expect(course.locator(".say .unseen")).to_contain_text(f"it turned at step {wall}, for it hit the lid")
    top, bottom = explorer.landscapes["sixth"]["top"], explorer.landscapes["sixth"]["bottom"]
    box = course.locator("clipPath rect")
    above, height = (float(box.get_attribute(name)) for name in ("y", "height"))
    level = float(re.match(r"M[\d.]+ ([\d.]+)H", course.locator("path.lid").get_attribute("d"))[1])
    assert abs(level - (above + height * (top - lids[wall]) / (top - bottom))) < 0.5
    assert course.locator("g > path.turn[data-direction]").count() == min(8, (run.switches <= wall).sum())


def test_the_line_from_the_ball_passes_the_names_by(plant):
    _, course = opened(plant, start=-1.3)  # over their letters
    heights = """(path) => {
        const pieces = path.getAttribute("d").split("M").slice(1);
        const box = (d) => { path.setAttribute("d", `M${d}`); return path.getBBox(); };
        return pieces.map(box).map(({ y, height }) => [y, y + height]);
    }"""
    pieces = course.locator(".plumb").evaluate(heights)
    measure = "(all) => all.map((name) => name.getBBox()).map(({ y, height }) => [y, height])"
    boxes = course.locator(".stripname").evaluate_all(measure)
    assert len(pieces) == 3 and len(boxes) == 2
    for top, bottom in pieces:
        assert all(bottom < y + 3 or top > y + 0.7 * height for y, height in boxes)


def test_the_ball_is_dragged_and_moved_by_keys_in_any_units(plant):
    page, course = opened(plant, width=10, lr=1e-4, steps=300)
    ball = course.get_by_role("slider", name="start")
    press(page, ball, "ArrowLeft", "Shift+ArrowLeft")
    assert trait(page, "step") == 300
    assert abs(trait(page, "start") - (0.1 - 11 * 1.6 / 240)) < 1e-3
    expect(ball).to_have_attribute("aria-valuetext", re.compile("^x = [\\d.]+: (at step|never)"))
    before = trait(page, "start")
    drag(page, middle(ball), -60, 0)
    assert before - 0.6 < trait(page, "start") < before - 0.05


@ON_A_DESK
def test_the_chapter_has_it(page, address):
    page.goto(address + "book/beyond/tuning-itself.html")
    course = page.get_by_role("group", name="Explorer: no tuning")
    course.scroll_into_view_if_needed()
    course.get_by_role("slider", name="λ", exact=True).press("ArrowLeft")
    own, published = counts(page, course)
    assert own > published
    assert page.faults == []
