"""The picture of a link to a page: its title over the book's curve, at the 1.91 : 1 that such pictures are cut to."""

import functools
import textwrap
from pathlib import Path

import numpy as np
from docutils import nodes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from hilladam.figures import COLOURS
from hilladam.losses import TABLE_1

WIDTH, HEIGHT = 1200, 628  # pixels
LOSS = TABLE_1["sixth"]
BOLD = findfont("DejaVu Sans:bold")  # matplotlib brings it
ALT = (
    "{}. Below, a curve with two valleys: Adam rests in the nearer one; Hill-ADAM climbs out of it into the deeper one."
)


def setup(app):
    app.connect("html-page-context", link, priority=400)  # before sphinxext.opengraph
    return {"parallel_read_safe": True}


def link(app, page, _template, context, doctree):
    if doctree is None or app.builder.name != "html":
        return
    title = next(doctree.findall(nodes.title)).astext()
    name = f"_static/previews/{page.replace('/', '-')}.png"
    target = Path(app.outdir, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    draw(title).save(target)
    size = {"og:image:width": str(WIDTH), "og:image:height": str(HEIGHT), "og:image:alt": ALT.format(title)}
    context["meta"] = (context["meta"] or {}) | {"og:image": app.config.ogp_site_url + name} | size
    context["metatags"] += '<meta name="twitter:card" content="summary_large_image" />\n'


def draw(title):
    image = curve().copy()
    words = "\n".join(textwrap.wrap(title, 30))
    ImageDraw.Draw(image).multiline_text((66, 50), words, COLOURS["ink"], ImageFont.truetype(BOLD, 58), spacing=14)
    return image


@functools.cache
def curve():
    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    figure.text(0.945, 0.05, "Hill-ADAM", ha="right", fontsize=22, color=COLOURS["loss"])
    ax = figure.add_axes((0, 0.04, 1, 0.58))
    ax.set_axis_off()
    x = np.linspace(-1.42, 0.2, 400)
    ax.plot(x, LOSS(x), color=COLOURS["loss"], linewidth=5)
    ax.set(xlim=(-1.5, 0.28), ylim=(-4, 24))
    low, top, near = LOSS.stationary_points
    for start, end, colour in ((near.x - 0.05, top.x + 0.03, "maximize"), (top.x - 0.03, low.x + 0.09, "minimize")):
        way = np.linspace(start, end, 60)
        height = LOSS(way) + 1.7
        ax.plot(way[:-4], height[:-4], color=COLOURS[colour], linewidth=7, solid_capstyle="round")
        arrow = {
            "arrowstyle": "-|>",
            "color": COLOURS[colour],
            "lw": 5,
            "mutation_scale": 46,
            "shrinkA": 0,
            "shrinkB": 0,
        }
        ax.annotate("", (end, height[-1]), (way[-6], height[-6]), arrowprops=arrow)
    ax.plot(near.x, near.value, "o", ms=30, color="white", markeredgecolor=COLOURS["ink"], markeredgewidth=5)
    ax.plot(low.x, low.value, "*", ms=44, color=COLOURS["best"], markeredgecolor="white", markeredgewidth=2)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
