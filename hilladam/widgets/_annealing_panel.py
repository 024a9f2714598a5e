"""Heat and friction in the reader's hands: choose a method, a temperature and a way to cool."""

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
import torch

from hilladam.experiments import Points, train, wilson_interval
from hilladam.figures import COLOURS
from hilladam.losses import DOUBLE_WELL
from hilladam.optim import COOLING_SCHEDULES, CoolMomentum, Langevin, SimulatedAnnealing, annealing, cooling
from hilladam.widgets._panel import panel, png

# How the temperature falls in `steps` proposals: the schedule and α. Geometric cooling ends at T₀ / 100.
_FALLS = {
    "geometric": lambda steps: ("geometric", 0.01 ** (1 / steps)),
    "logarithmic": lambda steps: ("logarithmic", 1.0),
    "none": lambda steps: ("geometric", 1.0),
}
_COOLINGS = {"simulated annealing": tuple(_FALLS), "Langevin": tuple(_FALLS), "CoolMomentum": COOLING_SCHEDULES}
_LR = {"simulated annealing": 0.25, "Langevin": 0.02, "CoolMomentum": 0.02}


def annealing_panel(method: str = "simulated annealing", members: int = 300) -> widgets.VBox:
    """A panel that anneals balls on the double well, from its shallow valley, and shows where they are at every step.

    Args:
        method: ``"simulated annealing"``, ``"Langevin"`` or ``"CoolMomentum"``. The last adds no heat of its own; its
            gradients get the white noise that keeps a ball at the chosen temperature while ρ is what it was at first.
        members: how many balls.

    Raises:
        ValueError: an unknown method, or no balls.

    Example:
        >>> from hilladam.widgets import annealing_panel
        >>> panel = annealing_panel(members=20)
        >>> controls, picture, verdict = panel.children
        >>> [control.description for control in controls.children]
        ['method', 'cooling', 'T₀', 'steps', 'ρ₀']
    """
    if method not in _COOLINGS:
        raise ValueError(f"Invalid method: {method!r}; expected one of {tuple(_COOLINGS)}")
    if members < 1:
        raise ValueError(f"Invalid members: {members}; expected at least 1")
    chosen = widgets.Dropdown(options=list(_COOLINGS), value=method, description="method")
    cools = widgets.Dropdown(options=_COOLINGS[method], description="cooling")
    heat = widgets.FloatLogSlider(0.1, min=-2, max=0.2, step=0.05, description="T₀", continuous_update=False)
    steps = widgets.SelectionSlider(options=[100, 300, 1000, 3000], value=1000, description="steps",
                                    continuous_update=False)  # fmt: skip
    rho = widgets.SelectionSlider(options=[0.0, 0.5, 0.8, 0.9, 0.95, 0.99], value=0.9, description="ρ₀",
                                  continuous_update=False)  # fmt: skip
    rho.disabled = method == "simulated annealing"
    box, picture, verdict = panel([chosen, cools, heat, steps, rho])

    def rerun(_=None):
        setting = (chosen.value, cools.value, heat.value, steps.value, rho.value)
        path = _anneal(*setting, members)
        picture.value = png(_draw(path, _temperatures(*setting)))
        deep = int((path[-1] < DOUBLE_WELL.stationary_points[1].x).sum())
        low, high = wilson_interval(deep, members)
        verdict.value = f"<b>{deep} of {members}</b> end in the deep valley, 95 % interval {low:.0%} to {high:.0%}."

    def another_method(_):
        cools.unobserve(rerun, "value")
        cools.options = _COOLINGS[chosen.value]
        cools.observe(rerun, "value")
        rho.disabled = chosen.value == "simulated annealing"
        rerun()

    chosen.observe(another_method, "value")
    for control in (cools, heat, steps, rho):
        control.observe(rerun, "value")
    rerun()
    return box


def _temperatures(method, cools, heat, steps, rho):
    """The temperature of every step, in units of the loss; for CoolMomentum the one that its gradients' noise keeps."""
    if method == "CoolMomentum":
        now = np.array([cooling(cools, t, steps, rho) for t in range(steps)])
        return heat * (1 - rho) / (1 + rho) * (1 + now) / (1 - now)
    schedule, alpha = _FALLS[cools](steps)
    return np.array([annealing(schedule, t, heat, alpha) for t in range(steps)])


def _anneal(method, cools, heat, steps, rho, members):
    """The positions before every step and after the last."""
    points = Points(torch.full((members,), DOUBLE_WELL.stationary_points[2].x, dtype=torch.float64))
    lr, generator = _LR[method], torch.Generator().manual_seed(0)
    loss, before = DOUBLE_WELL, 0
    if method == "simulated annealing":
        schedule, alpha = _FALLS[cools](steps)
        settings = dict(temperature=heat, schedule=schedule, alpha=alpha)
        optimizer = SimulatedAnnealing(points.parameters, lr, **settings, generator=generator)
        before = 1  # its first step measures the start
    elif method == "Langevin":
        falling = [*_temperatures(method, cools, heat, steps, rho), 0.0]
        optimizer = Langevin(points.parameters, lr, rho, temperature=lambda t: falling[t], generator=generator)
    else:
        noise = (4 * heat / lr * (1 - rho) / (1 + rho)) ** 0.5
        optimizer = CoolMomentum(points.parameters, lr, rho, schedule=cools, cooling_steps=steps)

        def loss(x):  # whose gradient is noisy
            return DOUBLE_WELL(x) + noise * torch.randn(members, generator=generator, dtype=x.dtype) * (x - x.detach())

    return train(points, loss, optimizer, before + steps + 1).states[before:]


@plt.style.context("hilladam.figures.hilladam")
def _draw(path, falling):
    """Where the balls are over time, the loss beside it, the temperature below."""
    figure, axes = plt.subplots(2, 2, figsize=(8.6, 4.4), width_ratios=(4, 1), height_ratios=(3, 1), sharex="col")
    (cloud, curve), (heat, corner) = axes
    corner.set_axis_off()
    bins = np.linspace(-2, 2, 81)
    times = np.unique(np.linspace(0, len(path) - 1, 200).astype(int))
    counts = np.array([np.histogram(path[t], bins)[0] for t in times]).T
    cloud.pcolormesh(np.append(times, times[-1] + 1), bins, np.sqrt(counts), cmap="Blues", rasterized=True)
    cloud.axhline(DOUBLE_WELL.stationary_points[1].x, color=COLOURS["maximize"], linestyle="--", linewidth=1)
    cloud.set(ylabel="x")
    grid = np.linspace(-2, 2, 300)
    curve.plot(DOUBLE_WELL(grid), grid, color=COLOURS["loss"])
    curve.set(xlabel="loss f(x)", ylim=(-2, 2), xlim=(-0.5, 3), yticks=[])
    curve.tick_params(labelbottom=True)
    heat.semilogy(falling, color=COLOURS["maximize"])
    heat.set(xlabel="step", ylabel="T")
    return figure
