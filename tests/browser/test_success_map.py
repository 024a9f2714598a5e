"""The map of success: a cell that is tapped or reached by keys shows its run, and the fate of every start."""

import re

from gestures import drag, middle, place, press
from planting import trait
from playwright.sync_api import expect

from hilladam.widgets import SuccessMapExplorer


def test_a_cell_is_tapped_and_shows_its_run(plant):
    explorer = SuccessMapExplorer()
    page = plant(fig=explorer)
    verdict, share = page.locator(".say .unseen").first, page.locator(".say .unseen").last
    expect(verdict).to_have_text(re.compile(r"^λ = 0\.0305, δ = 9\.3.*e−5\. From x = 1\.4 it crosses"))
    expect(share).to_contain_text("Of 200 starts 63 cross.")
    box = place(page.locator(".reach").first)
    spot = box["x"] + 0.805 * box["width"], box["y"] + 0.205 * box["height"]
    page.touchscreen.tap(*spot) if page.evaluate("navigator.maxTouchPoints") else page.mouse.click(*spot)
    explorer.cell = trait(page, "cell")
    assert abs(explorer.cell[0] - 80) <= 1 and abs(explorer.cell[1] - 79) <= 1
    expect(share).to_contain_text(f"Of 200 starts {explorer.reached().sum()} cross.")
    expect(verdict).to_contain_text("it crosses" if explorer.run().best_losses < 0.29 else "it does not cross")


def test_keys_go_from_cell_to_cell(plant):
    page = plant(fig=SuccessMapExplorer(loss="tenth order"))
    cell = page.get_by_role("slider", name="cell", exact=True)
    press(page, cell, "ArrowRight", "ArrowUp", "Shift+ArrowLeft")
    assert trait(page, "cell") == [40, 50]
    page.wait_for_function("location.hash === '#fig:cell=40,50'")
    page = plant("#fig:cell=3,4&loss=sine%20wave", fig=SuccessMapExplorer())
    assert trait(page, "cell") == [3, 4]
    expect(page.locator(".say .unseen").first).to_contain_text("it does not cross")


def test_the_start_is_dragged_and_the_loss_chosen(plant):
    page = plant(fig=SuccessMapExplorer())
    start = page.get_by_role("slider", name="start", exact=True)
    press(page, start, "ArrowRight", "Shift+ArrowLeft")
    before = trait(page, "start")
    drag(page, middle(page.locator(".ball")), -25, 0)
    assert trait(page, "start") < before
    areas = page.locator(".share").nth(12)
    shape = areas.get_attribute("d")
    page.get_by_role("combobox", name="loss").select_option("eighth order")
    expect(areas).not_to_have_attribute("d", shape)
    expect(page.locator(".law:not(.halo)")).to_have_count(3 + 1)  # and the key
    assert trait(page, "start") == 2.7
