"""An explorer runs in a page by itself: its front end, its style and its settings, without the widget manager.

MyST-NB puts the state of all widgets of a notebook into the page's head, sources and all, for the manager to run. Here
each front end and each style becomes a file, named for what it holds; modules that several explorers of a page have
inside them, and rules with which their styles begin, become a file, too, which the page loads once. The settings stay
where the explorer stands, for the script beside this file, which runs it.
"""

import hashlib
import json
import re
import shutil
from collections import Counter
from itertools import takewhile
from pathlib import Path

from sphinx.errors import ExtensionError

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = re.compile(r'<script type="application/vnd\.jupyter\.widget-view\+json">(.*?)</script>', re.S)
FOLDER = "explorers"  # in the site's _static
PLACE = '<div class="explorer" data-module="{}"><script type="application/json">{}</script></div>'
PART = re.compile(r"^const (\w+) = \(\(\) => \{\n.*?^\}\)\(\);\n", re.M | re.S)  # a module inside another, as bundled
TAKEN = re.compile(r"^const \{[^}]*\} = (\w+);$", re.M)  # what such a module takes of those before it
NO_SETTINGS = {"layout", "tabbable", "tooltip"}  # of every widget


def setup(app):
    app.connect("builder-inited", add_host)
    app.connect("html-page-context", host, priority=600)  # MyST-NB adds its scripts at 500
    return {"parallel_read_safe": True}


def add_host(app):
    if app.builder.format == "html":
        folder = Path(app.outdir, "_static", FOLDER)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(__file__).with_suffix(".js"), folder / "host.js")


def host(app, _page, _template, context, _doctree):
    scripts = context["script_files"]
    stored = next((script for script in scripts if script.attributes.get("type") == STATE), None)
    if not stored:
        return
    scripts.remove(stored)
    models = json.loads(stored.attributes["body"])["state"]
    modules, styles = set(), set()

    def place(view):
        model = models[json.loads(view[1])["model_id"]]["state"]
        if "_esm" not in model:
            raise ExtensionError("What a page shows of a widget is an explorer: others need a kernel or a manager.")
        modules.add(model["_esm"])
        styles.add(model["_css"])
        settings = {key: value for key, value in model.items() if key[0] != "_" and key not in NO_SETTINGS}
        return PLACE.format(named(model["_esm"]), json.dumps(settings).replace("</", r"<\/"))

    context["body"] = VIEW.sub(place, context["body"])
    count = Counter(part[0] for module in modules for part in PART.finditer(module))
    common = {text for text, times in count.items() if times > 1}
    if common:
        text = "".join(map(shared, sorted(common)))
        app.add_js_file(write(app, f"{named(text)}.js", text), priority=400)  # before MathJax
    for module in sorted(modules):
        text = register(module, common)
        app.add_js_file(write(app, f"{named(text)}.js", text), priority=400)
    common = common_rules(styles)
    for style in filter(None, [common, *sorted(style.removeprefix(common) for style in styles)]):
        app.add_css_file(write(app, f"{named(style)}.css", style))
    if modules:
        app.add_js_file(f"{FOLDER}/host.js", priority=400)


def shared(part):
    """Return a script that makes a part anew for each explorer that asks for it by its name."""
    takes = ", ".join(sorted(set(TAKEN.findall(part))))
    body = re.sub(r"^const \w+ = ", "return ", part)
    return f'(window.explorerParts ??= {{}})["{named(part)}"] = ({takes}) => {{\n"use strict";\n{body}}};\n'


def register(module, common):
    """Return a classic script, for pages without an origin too, that calls the module's default export by its name."""

    def reference(part):
        takes = ", ".join(sorted(set(TAKEN.findall(part[0]))))
        known = part[0] in common
        return f'const {part[1]} = window.explorerParts["{named(part[0])}"]({takes});\n' if known else part[0]

    body, exports = re.subn(r"^export default ", "return ", PART.sub(reference, module), flags=re.M)
    if exports != 1 or re.search(r"^(import|export)\b", body, re.M):
        raise ExtensionError(f"An explorer's front end is one module with one default export, not {module[:200]!r} …")
    return f'(window.explorers ??= {{}})["{named(module)}"] = () => {{\n"use strict";\n{body}}};\n'


def common_rules(styles):
    """Return with which whole rules several styles begin."""
    lines = zip(*(style.splitlines(keepends=True) for style in styles), strict=False) if len(styles) > 1 else ()
    common = "".join(each[0] for each in takewhile(lambda each: len(set(each)) == 1, lines))
    return common[: common.rfind("\n}\n") + 3] if "\n}\n" in common else ""


def named(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def write(app, name, text):
    Path(app.outdir, "_static", FOLDER, name).write_text(text, encoding="utf-8")
    return f"{FOLDER}/{name}"
