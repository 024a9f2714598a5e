"""A page describes itself to search engines, and where it is linked, with its own first sentences."""

import html
import re

from docutils import nodes

LENGTH = 250  # characters, more than is shown in most places
READING_TIME = re.compile(r"About \d+ minutes")
# A citation is left out, or, where the sentence needs a word for it, is "the paper".
CITED = re.compile(r"(\b(?:of|by|from|in|what))? *\[[^][]+, \d{4}[a-z]?\]")


def setup(app):
    app.connect("html-page-context", describe, priority=400)  # before sphinxext.opengraph
    return {"parallel_read_safe": True}


def describe(_app, page, _template, context, doctree):
    if doctree is None:  # a page without a source, such as the index
        return
    text = first_sentences(doctree)
    context["meta"] = (context["meta"] or {}) | {"og:description": text}
    context["metatags"] += f'<meta name="description" content="{html.escape(text)}" />\n'


def first_sentences(doctree):
    """Return as many whole sentences from the beginning of the text as fit."""
    paragraphs = [node for node in doctree.findall(nodes.paragraph) if isinstance(node.parent, nodes.section)]
    prose = " ".join(node.astext() for node in paragraphs if not READING_TIME.match(node.astext()))
    prose = CITED.sub(lambda found: f"{found[1]} the paper" if found[1] else "", re.sub(r"\s+", " ", prose))
    first, *rest = re.split(r"(?<=[.?!]) ", prose)
    for sentence in rest:
        if len(first) + 1 + len(sentence) > LENGTH:
            break
        first += " " + sentence
    return first
