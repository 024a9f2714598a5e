"""What the panels have in common: controls above a picture above a verdict."""

import io
from collections.abc import Sequence

import ipywidgets as widgets
import matplotlib.pyplot as plt
from matplotlib.figure import Figure


def panel(controls: Sequence[widgets.Widget]) -> tuple[widgets.VBox, widgets.Image, widgets.HTML]:
    """The panel, its picture and its verdict. The controls stand in as many columns as there is room for."""
    grid = widgets.GridBox(controls, layout={"grid_template_columns": "repeat(auto-fit, minmax(300px, 1fr))"})
    picture = widgets.Image(format="png", layout={"max_width": "100%", "width": "800px"})
    verdict = widgets.HTML()
    return widgets.VBox([grid, picture, verdict]), picture, verdict


def png(figure: Figure) -> bytes:
    """The figure as a PNG; it is closed."""
    return _saved(figure, format="png", dpi=120)


def jpeg(figure: Figure) -> bytes:
    """The figure as a JPEG, a fraction of the size where it shows photographs; it is closed."""
    return _saved(figure, format="jpeg", dpi=120, pil_kwargs={"quality": 75})


def _saved(figure: Figure, **options) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, **options)
    plt.close(figure)
    return buffer.getvalue()
