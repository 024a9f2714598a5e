"""Mend in the markup what others write into it and axe-core objects to; tests/browser runs it on every page."""

MENDS = {
    # MyST-NB: the label hides from a screen reader what stands in the line.
    '<summary aria-label="Toggle hidden content">': "<summary>",
    # docutils: an old role, which may not be inside the list that it is in.
    'role="doc-biblioentry"': 'role="listitem"',
}


def setup(app):
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True}


def mend(_app, _page, _template, context, _doctree):
    for found, better in MENDS.items():
        context["body"] = context.get("body", "").replace(found, better)
