"""A budget that also notes how soon each of a ladder of targets is met, and how many gradients were asked for."""

from collections.abc import Callable

import numpy as np

from hilladam.experiments._budget import Budget, Spent

TARGETS = 10.0 ** np.arange(2.0, -8.25, -0.5)
"""Heights above the minimum, from 100 to 1e-8, two to a factor of ten; BBOB's own range."""

APART = 1e-7
"""How far from the place, either way, central differences look."""


class Account(Budget):
    """A budget on a function that has no gradient but central differences.

    An evaluation is the function at one place, with or without its gradient, as for :class:`Budget`. Beside it the
    account counts the gradients. With two evaluations of the function for each variable they cost ``2 * variables``
    more, see :meth:`costs`; the budget does not charge for them.

    Args:
        height: takes an array of shape ``(variables,)`` to the height above the global minimum.
        evaluations: the budget, gradients not counted.

    Raises:
        Spent: as for :class:`Budget`; the last target is where the search is over.

    Example:
        >>> import numpy as np
        >>> from hilladam.experiments import Account
        >>> account = Account(lambda x: float(x @ x), evaluations=100)
        >>> value, gradient = account.both(np.array([30.0, 40.0]))
        >>> gradient.round(3).tolist(), account(np.array([0.3, 0.4])), account(np.array([0.0, 0.0]))
        ([60.0, 80.0], 0.25, 0.0)
        >>> account.costs(price=0)[[0, 4, 20]].tolist()  # below 100, 1 and 1e-8
        [2.0, 2.0, 3.0]
        >>> account.costs(price=4)[[0, 4, 20]].tolist()
        [6.0, 6.0, 7.0]
    """

    def __init__(self, height: Callable[[np.ndarray], float], evaluations: int):
        super().__init__(self.both, evaluations, TARGETS[-1])
        self.height, self.gradients = height, 0
        self.last = np.inf
        """The height of the last place asked for."""
        self._met: list[tuple[int, int]] = []  # for each target so far, the evaluations and gradients until then

    @property
    def met(self) -> bool:
        """Whether the last target has been met."""
        return len(self._met) == len(TARGETS)

    def both(self, place) -> tuple[float, np.ndarray]:
        """The height and its gradient, shape ``(variables,)``."""
        place = np.array(place, dtype=float)
        value = self._ask(place, 1)
        return value, self._slopes(place)

    def __call__(self, place) -> float:
        """The height alone."""
        place = np.array(place, dtype=float)
        value = self._ask(place, 0)
        self._paid = place, place
        return value

    def gradient(self, place) -> np.ndarray:
        """The gradient alone. Where the height was asked for last it is no new evaluation."""
        paid, self._paid = self._paid, None
        if paid and np.array_equal(place, paid[0]):
            self.gradients += 1
            return self._slopes(paid[0])
        return self.both(place)[1]

    def costs(self, price: int) -> np.ndarray:
        """What it took to come down to each target, if a gradient costs ``price`` evaluations more.

        Returns:
            Shape ``(targets,)``: a number of evaluations; infinite where the target was not met.
        """
        costs = np.full(len(TARGETS), np.inf)
        costs[: len(self._met)] = [asked + price * gradients for asked, gradients in self._met]
        return costs

    def _ask(self, place, gradients):
        if self.spent >= self.evaluations or self.met:
            raise Spent
        self.spent += 1
        self.gradients += gradients
        self._paid, self.last = None, float(self.height(place))
        if self.last < self.best_loss:
            self.best_loss, self.best_place = self.last, place
            while not self.met and self.last <= TARGETS[len(self._met)]:
                self._met.append((self.spent, self.gradients))
        return self.last

    def _slopes(self, place):
        slopes, beside = np.empty(len(place)), place.copy()
        for k, x in enumerate(place):
            beside[k] = right = x + APART
            above = self.height(beside)
            beside[k] = left = x - APART
            slopes[k] = (above - self.height(beside)) / (right - left)  # what rounding has left of 2 * APART
            beside[k] = x
        return slopes
