"""The API as its source has it: what a function takes is `ArrayLike`, not the two lines that NumPy means by it, and
what is said of an attribute stands as one piece, of which napoleon would make all before a colon its type.
"""

from numpy.typing import ArrayLike
from sphinx.util.typing import stringify_annotation


def setup(app):
    app.connect("autodoc-process-signature", shorten)
    said = {}

    def keep(_app, what, name, _obj, _options, lines):
        if what in ("attribute", "data", "property"):
            said[name] = list(lines)

    def restore(_app, _what, name, _obj, _options, lines):
        lines[:] = said.pop(name, lines)

    app.connect("autodoc-process-docstring", keep, priority=400)
    app.connect("autodoc-process-docstring", restore, priority=600)  # napoleon comes at 500
    return {"parallel_read_safe": True}


def shorten(app, _what, _name, _obj, _options, signature, returns):
    mode = "smart" if app.config.autodoc_typehints_format == "short" else "fully-qualified-except-typing"
    meant = stringify_annotation(ArrayLike, mode)
    beside = meant.replace(" | bytes | str | ", " | bytes | ")  # in a union that has str already
    for each in (meant, beside):
        signature, returns = (text and text.replace(each, "ArrayLike") for text in (signature, returns))
    return signature, returns
