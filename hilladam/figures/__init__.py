"""The book's figures: each takes a loss or the record of a run and returns a matplotlib figure, in one style.

``plt.style.use("hilladam.figures.hilladam")`` gives figures of your own that style; nothing here changes matplotlib's
settings.
"""

from hilladam._extras import extra

with extra("figures"):
    from hilladam.figures._championship import scoreboard, targets_met
    from hilladam.figures._crossing import bar_code, cobweb, one_climb, success_maps
    from hilladam.figures._curves import on_the_curve, side_by_side, stationary_points, trajectory
    from hilladam.figures._limits import ends_of_climbs, legs, setting_maps, success_over
    from hilladam.figures._network import network
    from hilladam.figures._over_the_hill import arrivals, journey_losses, journey_map
    from hilladam.figures._phase_diagram import phase_diagram, phase_diagrams
    from hilladam.figures._photographs import colour_landscape, photographs
    from hilladam.figures._race import differences, paths, reached
    from hilladam.figures._style import COLOURS, label_ends, look
    from hilladam.figures._success import best_and_final, over_rates, success_over_rates

__all__ = [
    "COLOURS",
    "arrivals",
    "bar_code",
    "best_and_final",
    "cobweb",
    "colour_landscape",
    "differences",
    "ends_of_climbs",
    "journey_losses",
    "journey_map",
    "label_ends",
    "legs",
    "look",
    "network",
    "on_the_curve",
    "one_climb",
    "over_rates",
    "paths",
    "phase_diagram",
    "phase_diagrams",
    "photographs",
    "reached",
    "scoreboard",
    "setting_maps",
    "side_by_side",
    "stationary_points",
    "success_maps",
    "success_over",
    "success_over_rates",
    "targets_met",
    "trajectory",
]
