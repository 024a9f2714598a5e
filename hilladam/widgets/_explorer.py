"""What the explorers have in common: they run in the page, with no kernel, and are pictures where nothing runs."""

import base64
import io
import math
import re
import sys
from pathlib import Path

import anywidget
import matplotlib.pyplot as plt
import traitlets
from matplotlib.figure import Figure

_HERE = Path(__file__).parent
_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', re.M)
_EXPORT = re.compile(r"^export (?=(?:function|const|class) (\w+))", re.M)
_COMMENT = re.compile(r"^[ \t]*(?://[^\n]*|/\*.*?\*/)\n", re.M | re.S)  # one that has lines of its own

# JupyterLab takes keys for its own, arrows among them, unless what has the focus says no.
_RENDER = """export default {
  render({ model, el }) {
    el.addEventListener("focusin", ({ target }) => target.setAttribute("data-lm-suppress-shortcuts", "true"));
    return shared.share({ model, el }, NAME.render, "NAME", NAME.readable);
  },
};
"""


def front_end(name: str) -> str:
    """The JavaScript module ``name`` with those that it imports inside it: a widget's front end is a single file.

    Comments stay behind: they are a sixth of what a page would load.
    """
    modules: dict[str, str] = {}

    def wrap(name):
        source = _COMMENT.sub("", (_HERE / f"{name}.js").read_text(encoding="utf-8"))
        for _, imported in _IMPORT.findall(source):
            if imported not in modules:
                wrap(imported)
        body = _EXPORT.sub("", _IMPORT.sub(r"const \1 = \2;", source))
        exports = ", ".join(_EXPORT.findall(source))
        modules[name] = f"const {name} = (() => {{\n{body}\nreturn {{ {exports} }};\n}})();\n"

    wrap("shared")
    if name not in modules:
        wrap(name)
    return "\n".join(modules.values()) + _RENDER.replace("NAME", name)


def look(*names: str) -> str:
    """The style that all explorers have, and after it those of these names, without their comments."""
    sources = ((_HERE / f"{name}.css").read_text(encoding="utf-8") for name in ("explorer", *names))
    return "".join(_COMMENT.sub("", source) for source in sources)


def png(figure: Figure) -> bytes:
    """The figure as a PNG; it is closed."""
    return _saved(figure, format="png", dpi=120)


def jpeg(figure: Figure) -> bytes:
    """The figure as a JPEG, a fraction of the size where it shows photographs; it is closed."""
    return _saved(figure, format="jpeg", dpi=120, pil_kwargs={"quality": 75})


def _saved(figure: Figure, **options) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, **options)
    plt.close(figure)
    return buffer.getvalue()


class Explorer(anywidget.AnyWidget):
    """A widget whose traits hold everything that a reader can set; a cell may read and set them too.

    Subclasses give ``_esm``, their front end, and :meth:`picture`. What a notebook stores of an explorer is its
    traits, and the picture for print, for GitHub, and for readers without JavaScript.
    """

    _css = look()
    _mime, _encode = "image/png", staticmethod(png)

    settings = traitlets.Dict(read_only=True).tag(sync=True)

    @traitlets.default("settings")
    def _settings(self):
        """What the address of a page may set, and to what: all that a reader can, but not the words of the task."""
        found = {name: _values(trait) for name, trait in self.traits(setting=True).items() if name != "task"}
        return {name: values for name, values in found.items() if values}

    def picture(self) -> Figure:
        """What the explorer shows, drawn by matplotlib."""
        raise NotImplementedError

    _ipython_display_ = None  # by which ipywidgets 7 would pass over the picture

    def __repr__(self):
        settings = (f"{name}={getattr(self, name)!r}" for name in self.trait_names(setting=True))
        return f"{type(self).__name__}({', '.join(settings)})"

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return data | {self._mime: base64.b64encode(self._encode(self.picture())).decode()}, metadata


class Number(traitlets.Float):
    """A number within bounds; never NaN, which JSON and readers do not know."""

    def validate(self, obj, value):
        value = super().validate(obj, value)
        return self.error(obj, value) if math.isnan(value) else value


def _values(trait: traitlets.TraitType) -> dict | None:
    """The values that a trait may have, for `valueOf` of ``address.js``; None where no text stands for one."""
    if isinstance(trait, traitlets.Float | traitlets.Int):
        bounds = {"min": trait.min, "max": trait.max}
        kind = "number" if isinstance(trait, traitlets.Float) else "integer"
        return {"type": kind} | {name: x for name, x in bounds.items() if x is not None and math.isfinite(x)}
    if isinstance(trait, traitlets.Bool):
        return {"type": "boolean"}
    if isinstance(trait, traitlets.Enum):
        return {"type": "choice", "values": list(trait.values)}
    if isinstance(trait, traitlets.Unicode):
        return {"type": "text"}
    if isinstance(trait, traitlets.Dict) and isinstance(trait._key_trait, traitlets.Enum):
        return {"type": "table", "keys": list(trait._key_trait.values), "of": _values(trait._value_trait)}
    if isinstance(trait, traitlets.Tuple):
        return {"type": "tuple", "of": [_values(each) for each in trait._traits]}
    if isinstance(trait, traitlets.List):
        longest = {} if trait._maxlen == sys.maxsize else {"longest": trait._maxlen}
        return {"type": "list", "of": _values(trait._trait)} | longest
    return None


def setting(trait: traitlets.TraitType) -> traitlets.TraitType:
    """A trait that the front end shares with Python. JSON has no infinity, so that stands there as null."""
    return trait.tag(
        sync=True,
        setting=True,
        to_json=lambda value, _: None if value == math.inf else value,
        from_json=lambda value, _: math.inf if value is None else value,
    )
