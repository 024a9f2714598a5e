"""The package colour-science, imported when it is first needed and without its side effects."""

import warnings

import numpy as np

from hilladam._extras import extra


def science():
    """The module ``colour``; importing it changes neither how numpy prints nor which warnings are shown."""
    with np.printoptions(), warnings.catch_warnings(), extra("colour"):
        import colour

    return colour
