"""The API as its source has it: what a function takes is `ArrayLike`, not the two lines that NumPy means by it, what an
explorer takes are its settings, and what is said of an attribute stands as one piece, of which napoleon would make all
before a colon its type.
"""

import inspect

from numpy.typing import ArrayLike
from sphinx.util.typing import stringify_annotation
from traitlets import DefaultHandler

from hilladam.widgets._explorer import Explorer

SHORT = 24  # letters; of a longer default, and of one that depends on others, the text below says what it is


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


def shorten(app, what, _name, obj, _options, signature, returns):
    if what == "class" and issubclass(obj, Explorer):
        return settings_of(obj), returns
    mode = "smart" if app.config.autodoc_typehints_format == "short" else "fully-qualified-except-typing"
    meant = stringify_annotation(ArrayLike, mode)
    beside = meant.replace(" | bytes | str | ", " | bytes | ")  # in a union that has str already
    for each in (meant, beside):
        signature, returns = (text and text.replace(each, "ArrayLike") for text in (signature, returns))
    return signature, returns


def settings_of(explorer):
    """What an explorer takes, where traitlets says that it takes anything."""
    own = inspect.signature(explorer.__init__).parameters.values() if "__init__" in vars(explorer) else ()
    named = [each.replace(annotation=each.empty) for each in own if each.name not in ("self", "settings")]
    traits = explorer.class_traits(setting=True)
    parts = [(name, part) for each in reversed(explorer.__mro__) for name, part in vars(each).items()]
    made = {part.trait_name for _, part in parts if isinstance(part, DefaultHandler)}
    settings = {
        name: inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=Default(traits[name], name in made))
        for name, _ in parts
        if name in traits
    }
    return str(inspect.Signature([*named, *settings.values()]))


class Default:
    def __init__(self, trait, made):
        text = repr(trait.default())
        self.text = text if len(text) <= SHORT and not made else "..."

    def __repr__(self):
        return self.text
