"""Mend in the markup what others write into it and axe-core objects to; tests/browser runs it on every page."""

MENDS = {
    # MyST-NB: the label hides from a screen reader what stands in the line.
    '<summary aria-label="Toggle hidden content">': "<summary>",
    # docutils: an old role, which may not be inside the list that it is in.
    'role="doc-biblioentry"': 'role="listitem"',
}


def setup(app):
    app.connect("html-page-context", mend)
    app.connect("html-page-context", name_folds, priority=600)  # the theme makes the function at 500
    return {"parallel_read_safe": True}


def mend(_app, _page, _template, context, _doctree):
    for found, better in MENDS.items():
        context["body"] = context.get("body", "").replace(found, better)


def name_folds(_app, _page, _template, context, _doctree):
    """Give a name to the sidebar's folds, of which the theme draws an arrow alone."""
    make = context.get("generate_toctree_html")
    if make:

        def named(*args, **kwargs):
            arrow = '<span class="toctree-toggle"'
            return str(make(*args, **kwargs)).replace(f"<summary>{arrow}", f'<summary aria-label="Pages below">{arrow}')

        context["generate_toctree_html"] = named
