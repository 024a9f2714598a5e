"""Over the hill where every loss and every slope carries noise, on the random landscapes of ``_tuning_itself.py``."""


import numpy as np

from hilladam._extras import extra
from hilladam.experiments._compiled_landscapes import _tabulate
from hilladam.experiments._tuning_itself import FINISH, NOISE, STEPS, Ground
from hilladam.optim._frame import orthogonal_frame

NOISY_FAMILIES = ("tori", "wells", "tori of two variables", "wells of two variables")
LEVELS = (0.0, *NOISE)
KAPPAS = (0.0, 0.5)
_FRAMES = 16  # after which the first comes again


def run_noisy_walks(here: Ground, level: float, kappa: float, finish: int = FINISH) -> np.ndarray:
    """The place that each run keeps, shape ``(runs, variables)``."""
    with extra("fast"):
        from hilladam.experiments import _compiled_noise as noisy
    d = here.starts.shape[1]
    table, box, rng = _tabulate(here.landscapes, d), np.array(here.box), np.random.default_rng(0)
    kept = np.empty_like(here.starts)
    for run, start in enumerate(here.starts):
        frames = np.array([orthogonal_frame(run, k, d).numpy() for k in range(_FRAMES)])
        dice = np.array([run], np.uint64)
        loss = (table, run, level * here.size[run], dice)
        kept[run] = noisy.walk_over(
            noisy.evaluate, loss, start, frames, box, rng, STEPS, -np.inf, noisy.NOTHING, kappa, 1.2, finish
        )[2]
    return kept
