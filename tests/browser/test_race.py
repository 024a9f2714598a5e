"""The race: a budget is dragged, a curve is chosen, and the sentence compares the two."""

import re

from gestures import ON_A_DESK, drag, middle, press
from planting import trait
from playwright.sync_api import expect

from hilladam.widgets import RaceExplorer


def opened(plant, hash="", **settings):
    page = plant(hash, fig=RaceExplorer(**settings))
    race = page.get_by_role("group", name="Explorer: the race")
    return page, race, race.locator(".say .unseen")


def coloured(race, role="rival"):
    """The names whose curves are in the colour of a role."""
    names = race.locator(f".name[data-role={role}]").all()
    return {name.text_content() for name in names}


def test_the_budget_is_dragged_and_moved_by_keys(plant):
    page, race, says = opened(plant, course="rastrigin", rival="Adam, restarted")
    expect(says).to_have_text(
        "After 2,000 evaluations Hill-ADAM has found it in 9.6 % (7.9 to 11.6) of the runs, restarted Adam in 22.0 % "
        "(19.5 to 24.7). Hill-ADAM alone found it in 72 runs, restarted Adam alone in 196: a difference of −12.4 % "
        "(−15.5 to −9.3)."
    )
    mark = race.get_by_role("slider", name="evaluations")
    press(page, mark, "ArrowLeft", "PageDown", "Shift+ArrowRight", "Home", "End")
    assert trait(page, "evaluations") == 2000
    drag(page, middle(mark), -60, 0)
    assert 100 < trait(page, "evaluations") < 1900
    expect(says).to_contain_text(f"After {trait(page, 'evaluations'):,} evaluations")
    press(page, race.get_by_role("slider", name="budget"), "ArrowLeft")
    page.evaluate("models.fig.set('evaluations', 500)")  # it counts at the number below
    expect(says).to_contain_text("After 487 evaluations Hill-ADAM has found it in 3.4 %")
    expect(says).to_contain_text("Hill-ADAM alone found it in 34 runs, restarted Adam alone in 63")


@ON_A_DESK
def test_a_curve_that_is_pointed_at_is_in_colour_and_a_click_chooses_it(plant):
    page, race, says = opened(plant)
    assert coloured(race) == {"L-BFGS, restarted"} and coloured(race, "hero") == {"Hill-ADAM"}
    label = race.locator(".curves .name", has_text="simulated annealing")
    label.hover()
    assert coloured(race) == {"L-BFGS, restarted", "simulated annealing"}
    assert trait(page, "rival") == "L-BFGS, restarted"
    page.mouse.move(5, 5)
    assert coloured(race) == {"L-BFGS, restarted"}
    label.click()
    assert trait(page, "rival") == "simulated annealing"
    expect(says).to_contain_text(re.compile("simulated annealing in 88.5 %"))
    page.evaluate("models.fig.set('rival', 'DIRECT')")
    line = race.locator(".curves g:has(> .line)[data-role=adam] .line")
    x, y = line.evaluate("""line => {
        const {x, y} = line.getPointAtLength(0.9 * line.getTotalLength());
        const box = line.ownerSVGElement.getBoundingClientRect();
        return [box.x + x, box.y + y];
    }""")
    page.mouse.move(x, y)
    assert "Adam" in coloured(race)
    page.mouse.click(x, y)
    assert trait(page, "rival") == "Adam"


def test_courses_rivals_and_curves_are_switched(plant):
    _, race, says = opened(plant)
    lines = race.locator(".curves .line[d]")
    expect(lines).to_have_count(11)
    rates = race.locator(".rates .tuned")
    rings = rates.get_attribute("d").count("M")
    expect(race.locator(".none")).to_have_text("restarted L-BFGS: no λ")
    race.get_by_role("combobox", name="Hill-ADAM and").select_option("RAdam")
    expect(lines).to_have_count(12)
    expect(race.locator(".none")).to_be_empty()
    assert (rings, rates.get_attribute("d").count("M")) == (1, 2)
    race.locator("summary").click()
    race.get_by_role("checkbox", name="SGD").uncheck()
    expect(lines).to_have_count(11)
    race.get_by_role("checkbox", name="RAdam").check()
    race.get_by_role("checkbox", name="RAdam").uncheck()
    expect(lines).to_have_count(11)  # whom the sentence is about stays
    before = says.inner_text()
    race.get_by_role("combobox", name="course").select_option("himmelblau")
    expect(says).not_to_have_text(before)
    expect(says).to_contain_text("Hill-ADAM has found it in 100.0 % (99.6 to 100.0) of the runs, RAdam in 100.0 %")
    expect(says).to_contain_text("a difference of 0.0 % (−0.4 to 0.4).")


def test_the_bands_are_of_the_coloured_curves(plant):
    page, _, _ = opened(plant, course="camel", rival="SGD")
    page.wait_for_function("document.querySelector('[data-role=hero] .band')?.getAttribute('d')")
    filled = """() => Object.fromEntries([...document.querySelectorAll(".curves g[data-role]:has(.line[d]) .band")]
        .map((band) => [band.parentNode.dataset.role, getComputedStyle(band).fill !== "none"]))"""
    assert page.evaluate(filled) == {"other": False, "adam": True, "rival": True, "hero": True}


def test_a_link_reopens_it(plant):
    page, race, says = opened(plant, "#fig:course=tenth&rival=NAdam&evaluations=100&contenders=")
    expect(says).to_contain_text("After 100 evaluations Hill-ADAM")
    assert trait(page, "rival") == "NAdam" and trait(page, "contenders") == []
    expect(race.locator(".curves .line[d]")).to_have_count(2)
