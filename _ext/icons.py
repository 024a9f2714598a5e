"""The few icons that the theme uses, in one small style sheet: Font Awesome's own and its fonts are 320 kB.

The fonts are inside it. As files they would not come where a page has no origin, as in a sandboxed frame.
"""

import base64
import io
import re
from importlib.resources import files
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

THEME = Path(str(files("pydata_sphinx_theme") / "theme" / "pydata_sphinx_theme" / "static"))
AWESOME = next(THEME.glob("vendor/fontawesome/*"))
NAMES = (  # what the theme's templates and scripts name; tests/browser looks for others on every page
    "angle-left", "angle-right", "arrow-up", "bars", "chevron-down", "circle-half-stroke", "download", "expand", "file",
    "file-pdf", "github", "lightbulb", "list", "magnifying-glass", "moon", "rocket", "sun", "xmark",
)  # fmt: skip
PENCIL = "\uf303"  # in sphinx-exercise's style sheet
FONTS = {"Font Awesome 6 Free": ("fa-solid-900", 900), "Font Awesome 6 Brands": ("fa-brands-400", 400)}
STYLE = """/*! Icons of Font Awesome Free, https://fontawesome.com: CC BY 4.0; their fonts: SIL OFL 1.1. */
.fas, .fa-solid, .fab, .fa-brands {
  font: 900 1em/1 "Font Awesome 6 Free"; display: inline-block; -webkit-font-smoothing: antialiased;
}
.fab, .fa-brands { font: 400 1em/1 "Font Awesome 6 Brands"; }
.fa-lg { font-size: 1.25em; line-height: .05em; vertical-align: -.075em; }
"""


def setup(app):
    app.connect("builder-inited", write)
    app.add_css_file("icons.css")
    return {"parallel_read_safe": True}


def write(app):
    if app.builder.format == "html":
        Path(app.outdir, "_static").mkdir(parents=True, exist_ok=True)
        Path(app.outdir, "_static", "icons.css").write_text(style(), encoding="utf-8")


def style():
    named = re.findall(r"((?:[.]fa-[\w-]+:before,?)+){content:\"(.+?)\"}", (AWESOME / "css/all.min.css").read_text())
    letters = {name: letter for names, letter in named for name in re.findall(r"fa-([\w-]+)", names)}
    letters = {name: chr(int(letters[name].lstrip("\\"), 16)) for name in NAMES}
    themes_own = re.findall("[\ue000-\uf8ff]", (THEME / "styles/pydata-sphinx-theme.css").read_text(encoding="utf-8"))
    wanted = {*letters.values(), *themes_own, PENCIL}
    faces = [face(family, *font, wanted) for family, font in FONTS.items()]
    return STYLE + "".join(faces + [f'.fa-{name}::before {{ content: "{each}"; }}\n' for name, each in letters.items()])


def face(family, name, weight, letters):
    """Return the rule of a font that has these letters only, as far as it has them."""
    font = TTFont(AWESOME / "webfonts" / f"{name}.ttf", recalcTimestamp=False)
    subsetter = subset.Subsetter()
    subsetter.populate(text="".join(letters))
    subsetter.subset(font)
    font.flavor = "woff"
    buffer = io.BytesIO()
    font.save(buffer)
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-display: block; '
        f'src: url("data:font/woff;base64,{data}"); }}\n'
    )
