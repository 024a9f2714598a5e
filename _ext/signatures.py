"""What a function of the package takes, as its source has it: `ArrayLike`, not the two lines that NumPy means by it."""

from numpy.typing import ArrayLike
from sphinx.util.typing import stringify_annotation


def setup(app):
    app.connect("autodoc-process-signature", shorten)
    return {"parallel_read_safe": True}


def shorten(app, _what, _name, _obj, _options, signature, returns):
    mode = "smart" if app.config.autodoc_typehints_format == "short" else "fully-qualified-except-typing"
    meant = stringify_annotation(ArrayLike, mode)
    beside = meant.replace(" | bytes | str | ", " | bytes | ")  # in a union that has str already
    for each in (meant, beside):
        signature, returns = (text and text.replace(each, "ArrayLike") for text in (signature, returns))
    return signature, returns
