"""The colour explorer: its loss, its wells, its filter and its ΔE are Python's, and it says what it cannot show."""

import base64
import io
import json
import math
import re
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from hilladam import colour
from hilladam.experiments import table2
from hilladam.losses import ColourLoss, double_well, preference
from hilladam.widgets import ColourExplorer

PAIR = next(pair for pair in colour.pairs() if pair.name == "coffee to chelsea")
MEANS = colour.channel_means(PAIR.source), colour.channel_means(PAIR.target)
TRUTH = colour.match_means(PAIR.source, PAIR.original).tolist()
LOSSES = {
    "the authors'": ColourLoss(*MEANS),
    "one well": ColourLoss(*MEANS, red=preference(1), blue=preference("1.5", 2)),
    "eight wells": ColourLoss(*MEANS, green=double_well("0.5", 2, barrier=3, tilt="-0.1")),
}
SEEDS = [100, 2534, 3956]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def runs():
    names = ["Adam", "momentum", "Hill-ADAM"]
    return table2({PAIR.name: LOSSES["the authors'"]}, SEEDS, 120, optimizers=names, dtype=torch.float64, device="cpu")


def anywhere(count):
    return np.random.default_rng(0).uniform(-3, 5, (count, 3))


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_the_loss_and_its_wells_are_those_of_python(node, loss):
    scene, gains = ColourExplorer(PAIR, loss).scene, anywhere(500)
    found = node(
        """
        import { basins, lossOf } from "./gains.js";
        export default ({ channels, minima, gains }) => {
          const basin = basins(channels, minima);
          return gains.map((each) => [lossOf(channels, each), basin(each)]);
        };
        """,
        {**scene, "gains": gains.tolist()},
    )
    values, wells = zip(*found, strict=True)
    np.testing.assert_allclose(values, loss(gains), rtol=1e-12, atol=0)
    reached = [loss.stationary_points[index] for index in loss.basin(torch.tensor(gains))]
    assert [scene["minima"][well]["gains"] for well in wells] == [point.gains for point in reached]
    assert [each["loss"] for each in scene["minima"]] == sorted(point.value for point in loss.minima)


def test_the_filter_is_apply_gains_to_within_rounding(node):
    every = np.arange(256)[:, None, None].repeat(3, axis=2) / 255
    for gains in [*anywhere(20), np.array([1.0, 0.0, 50.0])]:
        source = (
            'import { outputs } from "./gains.js"; export default (gains) => gains.map((gain) => [...outputs(gain)]);'
        )
        found = node(source, gains.tolist())
        exact = colour.apply_gains(every, gains)[:, 0] * 255
        assert np.abs(np.transpose(found) - exact).max() <= 0.5 + 1e-9


def test_the_difference_is_ciede2000_over_a_sample_that_stands_for_the_photograph(node):
    explorer, gains = ColourExplorer(PAIR), [[1, 1, 1], TRUTH, *anywhere(10).tolist()]
    pixels = {name: base64.b64decode(text) for name, text in explorer.images["pixels"].items()}
    found = node(
        """
        import { differences } from "./gains.js";
        export default ({ source, truth, gains }) => gains.map(differences(source, truth));
        """,
        {name: list(values) for name, values in pixels.items()} | {"gains": gains},
    )
    sample = {name: np.frombuffer(values, np.uint8).reshape(1, -1, 3) / 255 for name, values in pixels.items()}
    exact = [colour.difference(colour.apply_gains(sample["source"], each), sample["truth"]) for each in gains]
    np.testing.assert_allclose(found, exact, atol=1e-6)
    whole = [colour.difference(colour.apply_gains(PAIR.source, each), PAIR.original) for each in gains]
    np.testing.assert_allclose(found[:2], whole[:2], atol=0.1)
    np.testing.assert_allclose(found, whole, rtol=0.05)


def test_paths_keep_within_a_hundredth_of_their_runs(node, runs):
    explorer = ColourExplorer(PAIR, LOSSES["the authors'"], runs, seeds=SEEDS, replay=[2534, 100], steps=100)
    assert explorer.seed == 2534 and explorer.scene["seeds"] == [2534, 100] and explorer.scene["steps"] == 99
    for (_, name), record in runs.items():
        for seed in (100, 2534):
            run, path = record.member(SEEDS.index(seed)), explorer.paths[name][str(seed)]
            length = path["steps"][-1] + 1
            found = node(
                'import { gainsAt } from "./gains.js"; export default ({ path, length }) => '
                "Array.from({ length }, (_, step) => gainsAt(path, step));",
                {"path": path, "length": length},
            )
            assert length == 100 or not np.isfinite(run.states[length]).all()
            error = np.abs(found - run.states[:length]) / np.maximum(1, np.abs(run.states[:length]))
            assert error.max() < 0.012
            assert path["best"] == run.losses[:length].argmin() and path["best"] in path["steps"]
            assert path["turns"] == [step for step in run.switches if step < length]
            # Python moves the gains as the page does.
            explorer.seed, explorer.path = seed, name
            for step in (0, 7, length - 1):
                explorer.step = step
                np.testing.assert_allclose(explorer.gains, found[step], rtol=2e-3)
            explorer.path = ""


def test_photographs_are_small_and_are_the_pair(runs):
    explorer = ColourExplorer(PAIR, LOSSES["the authors'"], runs, seeds=SEEDS)
    for name, image in (("source", PAIR.source), ("target", PAIR.target), ("truth", PAIR.original)):
        kind, _, data = explorer.images[name].partition(",")
        assert kind == "data:image/jpeg;base64" and len(data) < 15_000 * 4 / 3
        small = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))), float) / 255
        np.testing.assert_allclose(small.mean(axis=(0, 1)), colour.channel_means(image), atol=0.02)
    state = {name: value for name, value in explorer.get_state().items() if name not in ("_esm", "_css")}
    assert len(json.dumps(state, default=str)) < 80_000


def test_the_stored_picture_and_text_are_the_same_for_the_same_settings(runs):
    def make():
        return ColourExplorer(PAIR, LOSSES["the authors'"], runs, seeds=SEEDS, path="Hill-ADAM", step=50)

    explorer = make()
    bundle = explorer._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert base64.b64decode(data["image/jpeg"]).startswith(b"\xff\xd8") and "image/png" not in data
    assert not re.search(r"0x[0-9a-f]{6}|object at", data["text/plain"]) and repr(make()) == repr(explorer)
    assert "path='Hill-ADAM'" in repr(explorer) and not plt.get_fignums()
    figure = explorer.picture()
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert texts == {"A", "B", "C", "D", "S", "T"} and len(figure.axes) == 5
    explorer.red = 99.0
    explorer.picture()  # gains beyond the map have their place too


def test_settings_out_of_range_are_refused(runs):
    explorer = ColourExplorer(PAIR, None, runs, seeds=SEEDS)
    wrong = {"path": "SGD", "seed": 3956, "step": 120, "red": math.nan, "blue": math.inf, "speed": 0, "green": ""}
    for name, value in wrong.items():
        with pytest.raises(traitlets.TraitError):
            setattr(explorer, name, value)
    with pytest.raises(traitlets.TraitError, match="expected one of"):
        ColourExplorer(PAIR, path="Adam")  # no runs to replay


def test_runs_that_do_not_fit_are_refused(runs):
    with pytest.raises(ValueError, match="pair 'coffee to chelsea'; expected 'coffee to rocket'"):
        ColourExplorer(PAIR._replace(name="coffee to rocket"), None, runs, seeds=SEEDS)
    with pytest.raises(ValueError, match="as many members as there are seeds"):
        ColourExplorer(PAIR, None, runs)
    with pytest.raises(ValueError, match=r"Invalid replay: \[1\]"):
        ColourExplorer(PAIR, None, runs, seeds=SEEDS, replay=[1])
    with pytest.raises(ValueError, match="at least 1"):
        ColourExplorer(PAIR, None, runs, seeds=SEEDS, steps=0)
    forgotten = {key: replace(record, states=record.states[:0]) for key, record in runs.items()}
    with pytest.raises(ValueError, match="a history"):
        ColourExplorer(PAIR, None, forgotten, seeds=SEEDS)
    black = PAIR._replace(source=PAIR.source * [1.0, 1.0, 0.0])
    with pytest.raises(ValueError, match="channel means"):
        ColourExplorer(black)
