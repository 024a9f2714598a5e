"""Explorers in a page of their own, with no kernel and no book around them."""

import json

HOME = "http://localhost/book/page.html"  # answered here: nothing is asked over the network
PAGE = """<!doctype html><html lang="en" {marks}><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Planted</title>
<style>body {{ font: 16px system-ui, sans-serif; margin: 12px; {ground} }} * {{ box-sizing: border-box }} {css}</style>
<main><h1>Planted</h1><div id="elsewhere">A place on the page.</div>{figures}</main>
{scripts}</html>"""
FIGURE = '<figure id="{name}" style="margin: 0"><div id="place-{name}"></div></figure>'
SCRIPT = """<script type="module">
import widget from "./{name}.js";
import {{ show }} from "./show.js";
show(widget, {traits}, "{name}");
</script>"""
# It shows a widget, with what stands for the model of ipywidgets.
SHOW = """
export function show(widget, traits, name) {
  const heard = {};
  const model = {
    get: (name) => traits[name],
    set(name, value) {
      for (const [key, each] of Object.entries(typeof name === "object" ? name : { [name]: value })) {
        if (traits[key] === each) continue;
        traits[key] = each;
        for (const action of heard[`change:${key}`] ?? []) action();
      }
    },
    on: (event, action) => (heard[event] ??= []).push(action),
    off: (event, action) => (heard[event] = heard[event].filter((each) => each !== action)),
    save_changes: () => (window.saved = { ...traits }),
  };
  window.heard = heard;
  (window.models ??= {})[name] = model;
  window.away = widget.render({ model, el: document.getElementById(`place-${name}`) });
}
"""


def planted(explorers, dark=False, book=True):
    """What answers to each address: a page, on which each explorer has a figure, and the modules that it asks for."""
    scripts = ""
    for name, explorer in explorers.items():
        traits = {key: value for key, value in explorer.get_state().items() if not key.startswith("_")}
        scripts += SCRIPT.format(name=name, traits=json.dumps(traits).replace("</", "<\\/"))
    page = PAGE.format(
        marks=f'data-theme="{"dark" if dark else "light"}"' + (' data-content_root="../"' if book else ""),
        ground="background: #121212; color: #e4e8ed" if dark else "",
        css="".join({explorer._css for explorer in explorers.values()}),
        figures="".join(FIGURE.format(name=name) for name in explorers),
        scripts=scripts,
    )
    modules = {"show": SHOW} | {name: explorer._esm for name, explorer in explorers.items()}
    folder = HOME.rpartition("/")[0]
    answers = {f"{folder}/{name}.js": dict(body=text, content_type="text/javascript") for name, text in modules.items()}
    return answers | {HOME: dict(body=page, content_type="text/html")}


def trait(page, name, explorer="fig"):
    """A trait's value in the page."""
    return page.evaluate("([name, explorer]) => models[explorer].get(name)", [name, explorer])
