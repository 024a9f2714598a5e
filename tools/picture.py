"""Draw the picture of the README again: `python tools/picture.py` writes book/images/hill.png."""

from pathlib import Path

import matplotlib.pyplot as plt

from hilladam import figures
from hilladam.experiments import table1
from hilladam.losses import TABLE_1

plt.style.use("hilladam.figures.hilladam")
runs = table1([6], steps=379, losses=["sixth"], history=True, device="cpu")
figure, axes = plt.subplots(1, 2, sharey=True)
for ax, ((_, optimizer), run) in zip(axes, runs.items(), strict=True):
    figures.on_the_curve(run.member(0), TABLE_1["sixth"], ax=ax)
    ax.set_title(optimizer)
    ax.label_outer()
figure.savefig(Path(__file__).parents[1] / "book/images/hill.png", metadata={"Software": None})
