"""No script holds up a page: each waits until the page is there.

What sphinx-thebe and sphinx-togglebutton bring stays away, for nothing uses it, and so does what sphinx-design
brings, where a page uses none, and what only the page of the search uses.
"""

AT_ONCE = "_static/documentation_options.js"  # an inline script builds on it


def setup(app):
    app.connect("html-page-context", lighten, priority=900)
    return {"parallel_read_safe": True}


def lighten(_app, page, _template, context, _doctree):
    unused = ["thebe", "toggle"]
    if 'class="sd-' not in context.get("body", ""):
        unused += ["sphinx-design", "design-tabs"]
    if page != "search":
        unused.append("results.js")
    for kind in ("css_files", "script_files"):
        context[kind] = [file for file in context[kind] if not any(name in text(file) for name in unused)]
    for script in context["script_files"]:
        script.attributes.pop("defer", None)  # the same objects serve every page
        # On the page of the search the template calls what the scripts define; one changes that before it is called.
        called = page == "search" and "results.js" not in text(script)
        if not called and script.filename not in (None, AT_ONCE) and "async" not in script.attributes:
            script.attributes["defer"] = "defer"


def text(file):
    return f"{file.filename} {file.attributes.get('body', '')}"
