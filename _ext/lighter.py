"""Style sheets without what only their authors read, and without rules for what no page has: 45 kB of every page.

Comments that say whose a file is stay. What stands in quotes or in a url() is left alone. A rule stays if each class
that it asks for is one of the book's: in a page, or a word in a script, or begins with what a script puts such words
together from. The mark of Colab is no larger than it is seen.
"""

import re
from pathlib import Path

import tinycss2
from PIL import Image

QUOTED = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|url\([^)"\']*\)'
COMMENT = r"/\*(?:(?!\*/).)*\*/"
NOTICE = r"/\*(?:!|(?:(?!\*/).)*(?:copyright|licen[cs]e))(?:(?!\*/).)*\*/"
SPACE = re.compile(rf"({QUOTED}|{NOTICE})|(?:\s|(?!{NOTICE}){COMMENT})+", re.S | re.I)
WORD = re.compile(r"[\w-]+")
CLASSES = re.compile(r'\bclass="([^"]*)"')
SCRIPT = re.compile(r"<script(?![^>]*json)[^>]*>(.*?)</script>", re.S)
INSIDE = re.compile(r"\([^()]*\)|\"[^\"]*\"")  # of a selector: :not(.a), :is(.a, .b), [b="c"]
ASKED = re.compile(r"\.(-?[a-zA-Z_][\w-]*)")
NESTING = {"media", "supports", "layer", "container"}
LOGO, SIDE = "images/logo_colab.png", 64  # pixels, for what is shown 20 high


def setup(app):
    app.connect("build-finished", lighten, priority=900)  # at 500 the theme writes the colours of code
    return {"parallel_read_safe": True}


def lighten(app, exception):
    static = Path(app.outdir, "_static")
    if exception or app.builder.format != "html":
        return
    names = named(app.outdir)
    begins = tuple(name for name in names if name.endswith("-") and len(name) > 2)
    for path in sorted(static.rglob("*.css")):
        whole = path.read_text(encoding="utf-8")
        light = thinned(squeezed(whole), lambda name: name in names or name.startswith(begins))
        if light != whole:
            path.write_text(light, encoding="utf-8")
    with Image.open(static / LOGO) as logo:
        if logo.width > SIDE:
            small = logo.convert("RGBA").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            small.quantize(64, Image.Quantize.FASTOCTREE).save(static / LOGO, optimize=True)


def squeezed(css):
    """Return a style sheet with one space where there was space or a comment."""
    return SPACE.sub(lambda found: found[1] or " ", css).strip() + "\n"


def named(site):
    """Return what may be the name of a class of some page, or begin one."""
    names = set()
    for path in Path(site).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        names.update(*map(str.split, CLASSES.findall(text)), *map(WORD.findall, SCRIPT.findall(text)))
    for path in Path(site, "_static").rglob("*.js"):
        if "vendor" not in path.parts:  # MathJax has its styles with it
            names.update(WORD.findall(path.read_text(encoding="utf-8")))
    return names


def thinned(css, known):
    """Return a style sheet without the rules that ask for a class which is not known."""
    return written(tinycss2.parse_stylesheet(css), known)


def written(rules, known):
    return "".join(text for rule in rules for text in [kept(rule, known)] if text)


def kept(rule, known):
    if rule.type == "qualified-rule":
        selectors = [text for text in selected(rule.prelude) if all(map(known, asked(text)))]
        return f"{','.join(selectors)}{{{tinycss2.serialize(rule.content)}}}" if selectors else ""
    if rule.type == "at-rule" and rule.lower_at_keyword in NESTING and rule.content is not None:
        inside = written(tinycss2.parse_rule_list(rule.content), known)
        return f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inside}}}" if inside.strip() else ""
    return rule.serialize()


def selected(prelude):
    """Return the selectors of a rule."""
    groups = [[]]
    for part in prelude:
        if part == ",":
            groups.append([])
        else:
            groups[-1].append(part)
    return [tinycss2.serialize(group).strip() for group in groups]


def asked(selector):
    """Return the classes without which a selector finds nothing."""
    while (outer := INSIDE.sub("", selector)) != selector:
        selector = outer
    return set(ASKED.findall(selector))
