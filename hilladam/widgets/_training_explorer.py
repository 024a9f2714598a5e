"""Experiment 1, trained where it is read: a row of Table 1 as its fifteen seeds come in, beside the paper's."""

import matplotlib.pyplot as plt
import traitlets
from matplotlib.figure import Figure

from hilladam.experiments import ACTIVATIONS, PAPER_TABLE_1, Record, StackedMLP, decode_mean, table1
from hilladam.figures import COLOURS
from hilladam.figures._style import styled
from hilladam.losses import TABLE_1
from hilladam.widgets._explorer import Explorer, Number, front_end, look, setting
from hilladam.widgets._on_losses import powers_of

SIZES = (6, 4, 3, 1)
SEEDS = range(15)
"""The paper has fifteen runs for each mean; it does not say which seeds."""


class TrainingExplorer(Explorer):
    """Train the paper's network with fifteen seeds, Adam beside Hill-ADAM, on a loss of Table 1; no kernel is needed.

    It begins when the reader presses ▶. What it computes is :func:`~hilladam.experiments.table1`, to the last bit with
    no activation and with ReLU, and up to rounding, which a climb magnifies, with tanh and sigmoid.

    Args:
        loss (str): a key of :data:`hilladam.losses.TABLE_1`.
        activation (str): a key of :data:`hilladam.experiments.ACTIVATIONS`.
        steps (int): the length of a run, 1 to 15,000.
        lr (float): λ, the same for both optimizers.
        delta (float): δ of Hill-ADAM, in units of the loss.
        gamma (float): γ of Hill-ADAM, in units of the loss.
        scale (float): what to multiply PyTorch's initial weights by.
        seed (int): the run that is shown step by step, 0 to 14.
        task (str): what the reader is asked to do, shown first.

    Each argument is a trait: read it after playing, or set it from a cell.

    Raises:
        traitlets.TraitError: an argument out of its range.

    Example:
        >>> from hilladam.widgets import TrainingExplorer
        >>> explorer = TrainingExplorer(loss="sixth", steps=2000)
        >>> runs = explorer.run()
        >>> {name: f"{record.best_losses.mean():.3f}" for name, record in runs.items()}
        {'Adam': '5.192', 'Hill-ADAM': '2.886'}
    """

    _esm = front_end("training")
    _css = look("training")

    losses = traitlets.Dict().tag(sync=True)
    weights = traitlets.List().tag(sync=True)
    sizes = traitlets.List(list(SIZES)).tag(sync=True)
    loss = setting(traitlets.Enum(list(TABLE_1), "sixth"))
    activation = setting(traitlets.Enum(list(ACTIVATIONS), "none"))
    steps = setting(traitlets.Int(15_000, min=1, max=15_000))
    lr = setting(Number(0.01, min=0, max=1e3))
    delta = setting(Number(1e-4, min=0, max=1e6))
    gamma = setting(Number(200.0, min=-1e6))
    scale = setting(Number(1.0, min=0.01, max=100))
    seed = setting(traitlets.Int(0, min=SEEDS[0], max=SEEDS[-1]))
    task = setting(traitlets.Unicode())

    @traitlets.default("losses")
    def _losses(self):
        return {
            key: {
                "name": loss.name,
                **powers_of(loss),
                "minima": [[point.x, point.value] for point in loss.minima],
                "paper": {name: _printed(mean, loss) for name, mean in PAPER_TABLE_1[key].items()},
            }
            for key, loss in TABLE_1.items()
        }

    @traitlets.default("weights")
    def _weights(self):
        return StackedMLP(SEEDS, SIZES).parameters[0].tolist()

    def run(self, history: bool = False) -> dict[str, Record]:
        """Both optimizers' runs with these settings, with a member for each seed: what the page shows.

        Args:
            history: whether to keep every step.
        """
        runs = table1(SEEDS, self.steps, self.lr, self.delta, self.gamma, self.activation, scale=self.scale,
                      losses=[self.loss], history=history, device="cpu")  # fmt: skip
        return {name: runs[self.loss, name] for name in PAPER_TABLE_1[self.loss]}

    @styled
    def picture(self) -> Figure:
        loss, runs = TABLE_1[self.loss], self.run()
        figure, ax = plt.subplots(figsize=(8, 3.2))
        for point in loss.minima:
            ax.axhline(point.value, color="0.75", linewidth=0.8, zorder=0)
        ax.axhline(loss.global_minimum.value, color=COLOURS["best"], linestyle="--", zorder=0, label="global minimum")
        styles = {
            "Adam": dict(color=COLOURS["ink"], markerfacecolor="none", markersize=9),
            "Hill-ADAM": dict(color=COLOURS["maximize"], markersize=6),
        }
        for name, record in runs.items():
            printed = PAPER_TABLE_1[self.loss][name]
            label = f"{name}: mean {record.best_losses.mean():.4f}, in the paper {printed:.4f}"
            ax.plot(SEEDS, record.best_losses, "o", label=label, **styles[name])
            ax.plot([len(SEEDS) + 1], [printed], "o", **styles[name])
        ax.set(xlabel="seed", ylabel="best loss", title=f"{loss.name}, {self.steps:,} steps")
        ax.set_xticks([*SEEDS, len(SEEDS) + 1], [*map(str, SEEDS), "paper"])
        figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=1)
        return figure


def _printed(mean: float, loss) -> dict:
    """A mean of the paper, and how many of its runs ended in each minimum if each ended in one."""
    mixtures = decode_mean(mean, [point.value for point in loss.minima], len(SEEDS))
    counts = [] if mixtures.empty else mixtures.iloc[0, :-1].astype(int).tolist()
    return {"mean": mean, "counts": counts}
