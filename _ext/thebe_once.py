"""sphinx-thebe puts one inline script on every page twice, and declaring its constants again throws in the browser."""


def setup(app):
    app.connect("html-page-context", drop_repeated_scripts)
    return {"parallel_read_safe": True}


def drop_repeated_scripts(_app, _page, _template, context, _doctree):
    seen = set()

    def first(script):
        body = getattr(script, "attributes", {}).get("body")
        repeated = body in seen
        seen.add(body)
        return body is None or not repeated

    context["script_files"] = [script for script in context["script_files"] if first(script)]
