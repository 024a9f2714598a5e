"""The colour wells: three gains on the landscape of their loss, and what they make of a photograph."""

import base64
import io
import json
import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from matplotlib.figure import Figure
from PIL import Image

from hilladam import colour
from hilladam._extras import extra
from hilladam.experiments import TABLE_2_SEEDS, Record
from hilladam.experiments._table2 import _wells
from hilladam.figures import COLOURS, colour_landscape
from hilladam.figures._style import styled
from hilladam.losses import ColourLoss
from hilladam.widgets._explorer import Explorer, Number, front_end, jpeg, look, setting
from hilladam.widgets._on_losses import powers_of

_STRAIGHT = 0.01  # of a gain: a run keeps the steps that straight lines need to stay so near to it
_LETTERS = "ABCDEFGHIJKLMNOP"


def _to_json(value, _):
    return json.dumps(value, separators=(",", ":"))


def _from_json(value, _):
    return json.loads(value)


class ColourExplorer(Explorer):
    """Move the gains of a photograph on the landscape of a colour loss and see what they do; no kernel is needed.

    Args:
        pair (~hilladam.colour.Pair): the photographs. Default: the astronaut, with the rocket for a target.
        loss (~hilladam.losses.ColourLoss): what the gains cost. Default: the authors' loss for the pair's means.
        runs (dict): what :func:`~hilladam.experiments.table2` returned for this loss under the pair's name, for the
            reader to replay. Default: none.
        seeds (list[int]): of the runs, as :func:`~hilladam.experiments.table2` was given them.
        replay (list[int]): the seeds that the reader can choose from. Default: the first two.
        steps (int): how many steps of each run, from its first one. More steps and more seeds make a larger page: two
            seeds of six optimizers over 300 steps take about 30 kB.
        red, green, blue (float): the gains. They follow the path, where there is one.
        path (str): the optimizer whose run is shown, or ``""``.
        seed (int): the run's seed.
        step (int): the step that is shown, from 0.
        speed (float): steps per second while it plays.
        task (str): what the reader is asked to do, shown above the results.

    The arguments from ``red`` on are traits: read them after playing, or set them from a cell.

    Raises:
        ValueError: runs of another pair, without history, or of other seeds.
        traitlets.TraitError: a setting out of its range.

    Example:
        >>> from hilladam.widgets import ColourExplorer
        >>> explorer = ColourExplorer(red=0.5)
        >>> explorer.gains
        (0.5, 1.0, 1.0)
        >>> [each["letter"] for each in explorer.scene["minima"]]
        ['A', 'B', 'C', 'D']
    """

    _esm = front_end("wells")
    _css = look("wells")
    _mime, _encode = "image/jpeg", staticmethod(jpeg)

    scene = traitlets.Dict().tag(sync=True)
    images = traitlets.Dict().tag(sync=True)
    # As a string, because a notebook gives every number of a list its own line.
    paths = traitlets.Dict().tag(sync=True, to_json=_to_json, from_json=_from_json)
    red = setting(Number(1.0))
    green = setting(Number(1.0))
    blue = setting(Number(1.0))
    path = setting(traitlets.Unicode())
    seed = setting(traitlets.Int())
    step = setting(traitlets.Int(0, min=0))
    speed = setting(Number(20.0, min=1, max=1000))
    task = setting(
        traitlets.Unicode(
            "Find gains that bring the photograph as close to the truth as you can. What is the loss there, and which "
            "minimum does the loss prefer?"
        )
    )

    def __init__(
        self,
        pair: colour.Pair | None = None,
        loss: ColourLoss | None = None,
        runs: Mapping[tuple[str, str], Record] | None = None,
        *,
        seeds: Sequence[int] = TABLE_2_SEEDS,
        replay: Sequence[int] | None = None,
        steps: int = 300,
        **settings,
    ):
        self.pair = pair = pair or next(each for each in colour.pairs() if each.name == "astronaut to rocket")
        self.loss = loss or ColourLoss(colour.channel_means(pair.source), colour.channel_means(pair.target))
        replay = list(seeds[:2] if replay is None else replay)
        self._runs = _chosen(runs or {}, pair.name, list(seeds), replay, steps)
        paths: dict[str, dict[str, dict]] = {}
        for (name, seed), record in self._runs.items():
            paths.setdefault(name, {})[str(seed)] = _thinned(record)
        if paths:
            settings.setdefault("seed", replay[0])
        longest = max([len(record.losses) - 1 for record in self._runs.values()], default=0)
        scene = _scene(pair, self.loss) | {"steps": longest, "seeds": replay if paths else []}
        places = [(1.0, 1.0, 1.0), scene["truth"], *(each["gains"] for each in scene["minima"])]
        super().__init__(scene=scene, images=_images(pair, places), paths=paths, **settings)

    @traitlets.default("settings")
    def _settings(self):
        known = {"path": ["", *self.paths], "seed": self.scene["seeds"] or [0]}
        bounds = {name: {"type": "number", "min": -1e6, "max": 1e6} for name in ("red", "green", "blue")}
        return super()._settings() | bounds | {name: {"type": "choice", "values": all} for name, all in known.items()}

    @traitlets.validate("red", "green", "blue")
    def _finite(self, proposal):
        if not math.isfinite(proposal["value"]):
            raise traitlets.TraitError(f"Invalid {proposal['trait'].name}: {proposal['value']}; expected a finite gain")
        return proposal["value"]

    @traitlets.validate("path", "seed", "step")
    def _stored(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        known = {"path": ["", *self.paths], "seed": self.scene["seeds"] or [0], "step": range(self.scene["steps"] + 1)}
        if value not in known[name]:
            raise traitlets.TraitError(f"Invalid {name}: {value!r}; expected one of {known[name]}")
        return value

    @traitlets.observe("path", "seed", "step")
    def _follow(self, _):
        if self.path:
            run = self.paths[self.path][str(self.seed)]
            gains = [float(f"{np.interp(self.step, run['steps'], each):.4g}") for each in run["gains"]]
            self.red, self.green, self.blue = gains

    @property
    def gains(self) -> tuple[float, float, float]:
        """The gains as they stand."""
        return self.red, self.green, self.blue

    @styled
    def picture(self) -> Figure:
        source, run = self.pair.source, self._runs.get((self.path, self.seed))
        shown = {"these gains": colour.apply_gains(source, self.gains), "source": source}
        shown |= {"target": self.pair.target, "truth": self.pair.original}
        places = [["map", *list(shown)[:2]], ["map", *list(shown)[2:]]]
        figure, axes = plt.subplot_mosaic(places, figsize=(8.4, 3.6), width_ratios=[3, 1, 1])
        left, right, bottom, top = self.scene["window"]
        window = {"red": (left, right), "blue": (bottom, top)}
        colour_landscape(
            self.loss, {self.path: run} if run else None, ax=axes["map"], last=self.scene["steps"] + 1, **window
        )
        photographs = {"S": (1.0, 1.0, 1.0), "T": self.scene["truth"]}
        for gains in photographs.values():
            axes["map"].scatter(*gains[::2], marker="s", s=50, color="white", edgecolors=COLOURS["ink"], zorder=3)
        minima = {each["letter"]: each["gains"] for each in self.scene["minima"]}
        for letter, gains in (minima | photographs).items():
            axes["map"].annotate(letter, gains[::2], (7, 5), textcoords="offset points", weight="bold")
        here = np.clip(self.gains[::2], [left, bottom], [right, top])
        axes["map"].scatter(*here, s=110, facecolors="none", edgecolors=COLOURS["ink"], linewidths=2.5, zorder=8)
        for name, image in shown.items():
            axes[name].imshow(image, interpolation="antialiased")
            axes[name].set_axis_off()
            axes[name].set_title(name, fontsize=9, loc="center")
        return figure


def _chosen(runs, pair, seeds, replay, steps) -> dict[tuple[str, int], Record]:
    """The first steps of the runs that can be replayed, by optimizer and seed."""
    if steps < 1:
        raise ValueError(f"Invalid steps: {steps}; expected at least 1")
    if unknown := [seed for seed in replay if seed not in seeds]:
        raise ValueError(f"Invalid replay: {unknown}; expected seeds among {seeds}")
    chosen = {}
    for (name, optimizer), record in runs.items():
        if name != pair:
            raise ValueError(f"Invalid runs: of the pair {name!r}; expected {pair!r} alone")
        if record.states.ndim != 3 or not len(record.states) or record.states.shape[1] != len(seeds):
            raise ValueError(
                f"Invalid runs: the states of {optimizer} have the shape {record.states.shape}; expected (steps, "
                f"{len(seeds)}, 3), a history of as many members as there are seeds"
            )
        for seed in replay:
            chosen[optimizer, seed] = _first(record.member(seeds.index(seed)), steps)
    return chosen


def _first(record: Record, steps: int) -> Record:
    """A run as if it had been only so long, and up to where it is finite."""
    end = int(np.append(np.isfinite(record.states[:steps]).all(axis=1), False).argmin())
    history = [part[:end] for part in (record.losses, record.states, record.maximize, record.reasons)]
    if not end:
        raise ValueError("Invalid runs: the first state of one is not finite")
    losses, states = history[:2]
    best = int(losses.argmin())
    return Record(*history, losses[best], states[best], losses[-1], states[-1])


def _thinned(record: Record) -> dict:
    """A run as the front end keeps it: the steps between which straight lines do."""
    states, best, turns = record.states, int(record.losses.argmin()), record.switches.tolist()
    kept = {0, best, len(states) - 1, *turns}
    spans = list(zip(sorted(kept), sorted(kept)[1:], strict=False))
    while spans:
        first, last = spans.pop()
        share = np.linspace(0, 1, last - first + 1)[:, None]
        line = (1 - share) * states[first] + share * states[last]
        error = (np.abs(line - states[first : last + 1]) / np.maximum(1, np.abs(line))).max(axis=1)
        worst = first + int(error.argmax())
        if error.max() > _STRAIGHT:
            kept.add(worst)
            spans += [(first, worst), (worst, last)]
    steps = sorted(kept)
    gains = [[float(f"{gain:.4g}") for gain in states[steps, c]] for c in range(3)]
    return {"steps": steps, "gains": gains, "best": best, "turns": turns}


def _scene(pair: colour.Pair, loss: ColourLoss) -> dict:
    """The landscape, and what is marked on it."""
    minima = sorted(loss.minima, key=lambda point: point.value)
    names = _wells(loss, np.array([point.gains for point in minima]))
    truth = colour.match_means(pair.source, pair.original).tolist()
    marks = np.array([[0.2, 0.2, 0.2], [1.0, 1.0, 1.0], truth, *(point.gains for point in minima)])
    low, high = marks.min(axis=0) - 0.5, marks.max(axis=0) + 0.6
    return {
        "channels": [powers_of(channel) for channel in loss.channels],
        "minima": [
            {"letter": letter, "name": name, "gains": point.gains, "loss": point.value}
            for letter, name, point in zip(_LETTERS, names, minima, strict=False)
        ],
        "truth": truth,
        "window": [round(float(edge), 2) for edge in (low[0], high[0], low[2], high[2])],
        "green": [round(float(low[1]), 2), round(float(high[1]), 2)],
    }


def _images(pair: colour.Pair, gains: list) -> dict:
    """The photographs as small JPEGs, and a grid of their pixels to measure on."""
    rows, columns = _grid(pair, gains)
    pixels = {
        name: base64.b64encode(_bytes(image[rows, columns]).tobytes()).decode()
        for name, image in (("source", pair.source), ("truth", pair.original))
    }
    parts = {"source": (pair.source, 220), "target": (pair.target, 110), "truth": (pair.original, 110)}
    return {name: _address(image, width) for name, (image, width) in parts.items()} | {"pixels": pixels}


def _grid(pair: colour.Pair, gains: list) -> tuple[slice, slice]:
    """Of the grids of 26 by 26 pixels or so, the one that gives ΔE most nearly as the whole photograph does."""
    with extra("colour"):
        from skimage.color import deltaE_ciede2000, rgb2lab

    truth = rgb2lab(pair.original)
    maps = np.stack([deltaE_ciede2000(truth, rgb2lab(colour.apply_gains(pair.source, each))) for each in gains])
    stride = max(1, round(min(truth.shape[:2]) / 26))
    grids = [(slice(i, None, stride), slice(j, None, stride)) for i in range(stride) for j in range(stride)]
    whole = maps.mean(axis=(1, 2))
    return min(grids, key=lambda grid: np.abs(maps[:, *grid].mean(axis=(1, 2)) - whole).max())


def _address(image: np.ndarray, width: int) -> str:
    """A photograph as a data: address."""
    small = Image.fromarray(_bytes(image))
    small.thumbnail((width, width), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=75)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def _bytes(image: np.ndarray) -> np.ndarray:
    return np.round(image * 255).astype(np.uint8)
