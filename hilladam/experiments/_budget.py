"""The one count by which all contenders are measured: evaluations of the loss with its gradient."""

import math
from collections.abc import Callable

import numpy as np
import torch

from hilladam.losses import Polynomial, Surface


class Spent(Exception):
    """The budget is spent, or the target met: whoever asks for more is stopped.

    Example:
        >>> import numpy as np
        >>> from hilladam.experiments import Budget, Spent
        >>> budget = Budget(lambda x: (x @ x, 2 * x), evaluations=1)
        >>> for place in (np.array([3.0]), np.array([2.0])):
        ...     try:
        ...         print(budget(place))
        ...     except Spent:
        ...         print("spent")
        9.0
        spent
    """


class Budget:
    """A loss that counts how often it is asked, remembers the best answer, and stops whoever asks for too much.

    An evaluation is the loss, its gradient, or both, at one place; both cost what one does, and whoever can do without
    gradients pays the same. The gradient at the place of the loss just asked for is no new evaluation.

    Args:
        function: takes an array of shape ``(variables,)`` to the loss and its gradient.
        evaluations: the budget.
        target: a loss below which the search is over too; default: none.

    Raises:
        Spent: on any call once the budget is spent or the target met. Let it pass.

    Example:
        >>> import numpy as np
        >>> from scipy.optimize import minimize
        >>> from hilladam.experiments import Budget, Spent
        >>> budget = Budget(lambda x: (x @ x, 2 * x), evaluations=2)
        >>> try:
        ...     result = minimize(budget.both, np.array([3.0, 4.0]), jac=True, method="L-BFGS-B")
        ... except Spent:
        ...     print(f"{budget.spent} evaluations, best loss {budget.best_loss:.1f}")
        2 evaluations, best loss 16.0
    """

    def __init__(
        self,
        function: Callable[[np.ndarray], tuple[float, np.ndarray]],
        evaluations: int,
        target: float = -math.inf,
    ):
        self.function, self.evaluations, self.target = function, evaluations, target
        self.spent = 0
        """How many evaluations there have been."""
        self.best_loss, self.best_place = math.inf, None
        self._paid: tuple[np.ndarray, np.ndarray] | None = None  # a place, and the gradient there

    @property
    def met(self) -> bool:
        """Whether a loss below the target has been found; if so, ``spent`` says with how many evaluations."""
        return self.best_loss < self.target

    def both(self, place) -> tuple[float, np.ndarray]:
        """The loss and its gradient, shape ``(variables,)``."""
        if self.spent >= self.evaluations or self.met:
            raise Spent
        self.spent += 1
        self._paid, place = None, np.array(place, dtype=float)
        value, gradient = self.function(place)
        if value < self.best_loss:  # which NaN and +∞ are not
            self.best_loss, self.best_place = value, place
        return value, gradient

    def __call__(self, place) -> float:
        """The loss alone."""
        value, gradient = self.both(place)
        self._paid = np.array(place), gradient
        return value

    def gradient(self, place) -> np.ndarray:
        """The gradient alone, free once where the loss was asked for last."""
        paid, self._paid = self._paid, None
        if paid and np.array_equal(place, paid[0]):
            return paid[1]
        return self.both(place)[1]


def value_and_gradient(loss) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """A loss as optimizers outside torch want it: an array of shape ``(variables,)`` to the loss and its gradient.

    Args:
        loss: a polynomial, a surface, or any differentiable function of points, tensors of shape ``(…, variables)`` or,
            of one variable, ``(…)``, to the losses, as :func:`race` takes it.
    """
    if isinstance(loss, Polynomial):
        return lambda x: (loss(float(x[0])), np.array([loss.derivative(float(x[0]))]))
    if isinstance(loss, Surface):

        def of_surface(x):
            value, gradient = loss.value_and_gradient(x)
            return value, np.array(gradient)

        return of_surface

    def of_any(x):
        place = torch.tensor(x if len(x) > 1 else x[0], dtype=torch.float64)[None].requires_grad_()
        value = loss(place)
        (gradient,) = torch.autograd.grad(value.sum(), place)
        return value.item(), gradient.reshape(-1).numpy()

    return of_any
