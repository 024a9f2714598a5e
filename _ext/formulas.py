"""MathJax in one file of what every page needs, 161 kB compressed. The rest comes when it is asked for."""

from pathlib import Path

PARTS = ["core", "input/tex", "output/chtml", "output/chtml/fonts/tex", "a11y/assistive-mml"]


def setup(app):
    app.connect("builder-inited", bundle)
    app.connect("env-updated", set_in_results)
    return {"parallel_read_safe": True}


def bundle(app):
    if app.builder.format == "html":
        mathjax = Path(app.outdir, "_static", "vendor", "mathjax")
        here = "".join(f'"{part}", ' for part in PARTS).replace("fonts/tex", "fonts/tex.js")
        parts = [read(mathjax / f"{part}.js") for part in ("startup", *PARTS)]
        parts.insert(1, f"MathJax.loader.preLoad({here});\n")
        settings = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
        Path(mathjax, "book.js").write_text(settings + ";\n".join(parts), encoding="utf-8")


def set_in_results(_app, env):
    """The page of the search has no formulas of its own, and shows those of all pages."""
    env.get_domain("math").data["has_equations"]["search"] = True


def read(path):
    return path.read_text(encoding="utf-8")
