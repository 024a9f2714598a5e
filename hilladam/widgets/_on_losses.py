"""What the explorers of a few losses of one variable have in common: which of them is shown, and from where."""

from collections.abc import Mapping
from typing import ClassVar

import traitlets

from hilladam.losses import Polynomial, SineWave
from hilladam.widgets._explorer import Explorer, Number, setting


class OnLosses(Explorer):
    """An explorer that shows one of several losses, of which its page has what :meth:`landscape_of` says.

    Subclasses give ``losses``, the trait ``loss``, one of their names, and :meth:`landscape_of`.
    """

    losses: ClassVar[Mapping[str, Polynomial | SineWave]]

    landscapes = traitlets.Dict().tag(sync=True)
    start = setting(Number(min=-1e6, max=1e6))
    task = setting(traitlets.Unicode())

    @staticmethod
    def landscape_of(key: str) -> dict:
        """What the page draws of a loss, and what suits it: at least ``"start"``."""
        raise NotImplementedError

    @traitlets.default("start")
    def _start(self):
        return self.landscape_of(self.loss)["start"]

    @traitlets.default("landscapes")
    def _landscapes(self):
        return {key: self.landscape_of(key) for key in self.losses}

    @property
    def polynomial(self) -> Polynomial | SineWave:
        """The loss: a polynomial, except the sine wave of :class:`~hilladam.widgets.SuccessMapExplorer`."""
        return self.losses[self.loss]


def powers_of(loss: Polynomial) -> dict:
    """A polynomial as `evaluate` of ``dynamics.js`` takes it."""
    return {"coefficients": loss.about_centre, "centre": loss.middle}
