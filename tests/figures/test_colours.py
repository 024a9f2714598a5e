"""One table of colours: figures, explorers and text share it, and no two roles of it look alike."""

import json
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from hilladam.figures import ends_of_climbs, scoreboard, setting_maps
from hilladam.figures._style import COLOURS, DARK, STYLES
from hilladam.widgets._map_explorer import _VALLEYS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "_static/book.css"
EXPLORERS = ROOT / "hilladam/widgets/explorer.css"
EXPLORERS_NAMES = {"ink": "ink", "descend": "minimize", "climb": "maximize", "best": "best", "faint": "loss"}
ROLES = EXPLORERS_NAMES | {"down": "minimize", "up": "maximize", "goal": "best", "land": "loss"}
GROUND = {"light": "#ffffff", "dark": "#14181e"}


def tables(path):
    """The first table of a style sheet and the first for a dark page: the values by their names."""
    css = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
    found = [
        (head, dict(re.findall(r"--([\w-]+): *(#[0-9a-f]{6});", body)))
        for head, body in re.findall(r"([^{}]+){([^{}]*)}", css)
    ]
    light = next((table for head, table in found if table and "dark" not in head), {})
    return light, next((table for head, table in found if table and 'data-theme="dark"' in head), {})


def luminance(colour):
    parts = np.array(to_rgb(colour))
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    low, high = sorted(luminance(each) + 0.05 for each in (one, other))
    return high / low


def in_the_dark(colour):
    turn = 2 * np.outer(np.ones(3), [0.213, 0.715, 0.072]) - np.eye(3)
    return (turn @ (1 - np.array(to_rgb(colour)))).clip(0, 1)


@pytest.mark.parametrize("path", [PAGE, *sorted(EXPLORERS.parent.glob("*.css"))], ids=lambda path: path.name)
def test_every_place_has_the_same_colours(path):
    for table, colours in zip(tables(path), (COLOURS, DARK), strict=True):
        for name, key in ROLES.items():
            assert table.get(name, colours[key].lower()) == colours[key].lower(), name


@pytest.mark.parametrize(
    "path, roles", [(PAGE, {"ink", "down", "up", "goal", "land"}), (EXPLORERS, set(EXPLORERS_NAMES))]
)
def test_page_and_explorers_have_the_whole_table(path, roles):
    assert all(roles <= set(table) for table in tables(path))


@pytest.mark.parametrize("folder", ["figures", "widgets"])
def test_what_is_drawn_in_black_is_ink(folder):
    sources = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "hilladam" / folder).glob("*.py")}
    assert sources and not [name for name, source in sources.items() if re.search("""["']black["']""", source)]


def test_nothing_is_drawn_in_black_in_a_notebook_either():
    for path in sorted((ROOT / "book").rglob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        assert not [source for source in code if re.search("""["'](black|grey|k[-.:D]*|[*]k)["']""", source)], path.name


def test_the_picture_of_the_map_has_the_valleys_of_its_page():
    page = tables(EXPLORERS.with_name("map.css"))[0]
    assert [page[name] for name in ("v1", "v2", "v3", "v4", "v5")] == [colour.lower() for colour in _VALLEYS[1:]]
    assert '[data-valley="0"] { --valley: var(--best); }' in EXPLORERS.with_name("map.css").read_text(encoding="utf-8")


def test_explorers_and_page_have_one_ground():
    for page, explorer, ground in zip(tables(PAGE), tables(EXPLORERS), GROUND.values(), strict=True):
        assert page["ground"] == ground
        assert explorer.get("paper", ground) == ground  # "#fff" is written short


@pytest.mark.parametrize("ground", GROUND)
def test_every_colour_can_be_read_as_text(ground):
    for name, colour in (COLOURS if ground == "light" else DARK).items():
        assert contrast(colour, GROUND[ground]) >= 4.7, name


@pytest.mark.parametrize("colours", [COLOURS, DARK], ids=GROUND)
def test_up_and_down_and_goal_are_told_apart_by_who_sees_no_red_or_green(colours):
    # Viénot, Brettel and Mollon (1999), for a dichromat: what is left of red and green in linear light.
    deutan = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    linear = {
        name: np.array([((p + 0.055) / 1.055) ** 2.4 for p in to_rgb(colours[name])])
        for name in ("minimize", "maximize", "best")
    }
    seen = {name: (deutan @ value).clip(0) ** (1 / 2.4) for name, value in linear.items()}
    for one, other in combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 0.15, (one, other)


def test_the_filter_of_the_page_makes_of_a_light_figure_a_dark_one():
    """`invert(1) hue-rotate(180deg)`, as https://www.w3.org/TR/filter-effects has it: nearly the table's colours."""
    for name in COLOURS:
        filtered = in_the_dark(COLOURS[name])
        assert np.abs(filtered - to_rgb(DARK[name])).max() < 0.2, name
        assert contrast(filtered, GROUND["dark"]) >= 4.7, name


def test_the_scores_on_a_scoreboard_are_read_in_the_light_and_in_the_dark():
    ax = scoreboard(pd.DataFrame({"a": np.linspace(0, 1, 21)})).axes[0]
    cells = ax.images[0].to_rgba(ax.images[0].get_array())[:, 0, :3]
    for text, cell in zip(ax.texts, cells, strict=True):
        assert contrast(text.get_color(), cell) >= 4.5, text
        assert contrast(in_the_dark(text.get_color()), in_the_dark(cell)) >= 4.5, text


def test_the_shares_on_a_map_of_settings_are_read_in_the_light_and_in_the_dark():
    ax = setting_maps([1.0, 2.0], np.geomspace(1, 1e3, 21), {"one": np.linspace(0, 1, 42).reshape(21, 2)}).axes[0]
    mesh = ax.collections[0]
    cells = mesh.to_rgba(mesh.get_array()).reshape(-1, 4)[:, :3]
    for mark, cell in [*zip(ax.texts, cells, strict=True), (ax.lines[0], cells[0]), (ax.lines[0], cells[-1])]:
        colour = mark.get_markeredgecolor() if mark in ax.lines else mark.get_color()
        assert contrast(colour, cell) >= 4.5, mark
        assert contrast(in_the_dark(colour), in_the_dark(cell)) >= 4.5, mark


def test_every_part_of_the_bars_is_seen_in_the_light_and_in_the_dark():
    bars = ends_of_climbs({4: [0.1, 0.1, 0.2, 0.2, 0.4]}, {4: (0.5, 0.4, 0.6)}).axes[0].patches
    assert len({bar.get_facecolor() for bar in bars}) == 4  # at a maximum, one fewer, two fewer, three or more
    for bar in bars:
        assert contrast(bar.get_facecolor()[:3], GROUND["light"]) >= 3
        assert contrast(in_the_dark(bar.get_facecolor()[:3]), GROUND["dark"]) >= 3


def test_hill_adam_alone_is_vermilion_and_adam_alone_ink():
    for name, (colour, _) in STYLES.items():
        assert (colour == COLOURS["maximize"]) == name.startswith(("Hill-ADAM", "AdaptiveHillAdam"))
        assert (colour == COLOURS["ink"]) == (
            name.startswith(("Adam,", "restarted", "self-paced Adam")) or name == "Adam"
        )
