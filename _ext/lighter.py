"""Style sheets without what only their authors read, and the mark of Colab no larger than it is seen: 10 kB of a page.

Comments that say whose a file is stay. What stands in quotes or in a url() is left alone.
"""

import re
from pathlib import Path

from PIL import Image

QUOTED = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|url\([^)"\']*\)'
COMMENT = r"/\*(?:(?!\*/).)*\*/"
NOTICE = r"/\*(?:!|(?:(?!\*/).)*(?:copyright|licen[cs]e))(?:(?!\*/).)*\*/"
SPACE = re.compile(rf"({QUOTED}|{NOTICE})|(?:\s|(?!{NOTICE}){COMMENT})+", re.S | re.I)
LOGO, SIDE = "images/logo_colab.png", 64  # pixels, for what is shown 20 high


def setup(app):
    app.connect("build-finished", lighten)
    return {"parallel_read_safe": True}


def lighten(app, exception):
    static = Path(app.outdir, "_static")
    if exception or app.builder.format != "html":
        return
    for path in sorted(static.rglob("*.css")):
        whole = path.read_text(encoding="utf-8")
        light = squeezed(whole)
        if light != whole:
            path.write_text(light, encoding="utf-8")
    with Image.open(static / LOGO) as logo:
        if logo.width > SIDE:
            small = logo.convert("RGBA").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            small.quantize(64, Image.Quantize.FASTOCTREE).save(static / LOGO, optimize=True)


def squeezed(css):
    """Return a style sheet with one space where there was space or a comment."""
    return SPACE.sub(lambda found: found[1] or " ", css).strip() + "\n"
