"""Explorers in a page of their own, with no kernel and no book around them."""

HOME = "http://localhost/book/page.html"  # answered here: nothing is asked over the network
PAGE = """<!doctype html><html lang="en" {marks}><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Planted</title>
<style>body {{ font: 16px system-ui, sans-serif; margin: 12px; {ground} }} * {{ box-sizing: border-box }} {css}</style>
<main><h1>Planted</h1><div id="elsewhere">A place on the page.</div>{figures}</main>
{scripts}</html>"""
FIGURE = '<figure id="{name}" style="margin: 0"><div id="place-{name}"></div></figure>'
SCRIPT = """<script type="module">{script}
(window.models ??= {{}})["{name}"] = model;
</script>"""
# What stands for the model of ipywidgets.
MODEL = """
const [traits, heard] = [STATE, {}];
window.model = {
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
window.away = widget.render({ model, el: document.getElementById("place") });
"""


def trait(page, name, explorer="fig"):
    """A trait's value in the page."""
    return page.evaluate("([name, explorer]) => models[explorer].get(name)", [name, explorer])
