"""What the two explorers of crossing have in common."""

from pathlib import Path

import traitlets

from hilladam.losses import DOUBLE_WELL, TABLE_1
from hilladam.widgets._explorer import Explorer, Number, setting

LOSSES = {"double well": DOUBLE_WELL, **{key: TABLE_1[key] for key in ("sixth", "eighth", "tenth")}}
"""The losses of both, by the names that the trait ``loss`` takes."""


class Crossing(Explorer):
    """An explorer with λ, δ and a task, in the look of crossing."""

    _css = Explorer._css + (Path(__file__).parent / "crossing.css").read_text(encoding="utf-8")

    lr = setting(Number(0.03, min=1e-3, max=1))
    delta = setting(Number(1e-4, min=0, max=1e6))
    task = setting(traitlets.Unicode())
