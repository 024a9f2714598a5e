"""A loss as it is typed, such as ``"(x^2 - 1)^2 + 0.3x"`` or ``"0.1x^2 + sin(3x)"``: one grammar, here and in the page.

``formula.js`` reads the same texts, refuses the same ones, and says why in the same words::

    sum      = product { ("+" | "-") product }
    product  = power { ["*" | "/"] power }             without a sign: times; a number then needs its sign
    power    = atom [ ("^" | "**") whole | "²" | "³" ]  whole: digits, 0 to 12
    atom     = ("+" | "-") power | "(" sum ")" | function "(" sum ")" | "x" | "pi" | "e" | number
    function = "sin" | "cos" | "exp" | "log" | "sqrt" | "abs"
    number   = (digits ["." [digits]] | "." digits) [("e" | "E") ["+" | "-"] digits]

Digits are 0 to 9. Between all these there may be white space: a space, a tab, the end of a line, or a no-break or thin
space. ``−`` is ``-``; ``·``, ``×`` and ``⋅`` are ``*``; ``π`` is ``pi``. A text has at most 300 characters, and no more
than 20 parentheses and signs inside each other.

What adds, subtracts and multiplies, and divides by numbers alone, is a polynomial; its coefficients are fractions.
Anything else is a :class:`Formula`, a list of operations of which each takes the results of earlier ones.
"""

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np
import torch

from hilladam.losses import Polynomial, StationaryPoint

LONGEST, DEEPEST, HIGHEST = 300, 20, 12
BITS = 1024
"""The most that a numerator or denominator may have on the way."""
SMALLEST, LARGEST, APART = Fraction(1, 10**10), 10**6, 10**10
"""Between which the sizes of a polynomial's coefficients lie, and by which factor they may differ."""
FAR = 1000
"""Within ± of which a polynomial has its hills and valleys."""
EDGE, SAMPLES, VALLEYS, BREAKS = 10, 4000, 60, 200
"""Within ± of which a formula is looked at, at so many places; the most valleys, turns and ends that it has there."""
STEEP, TALL = 1e9, 1e9
"""The slope beyond which a formula is taken to have no bound, and the size of what is drawn."""

FUNCTIONS = ("sin", "cos", "exp", "log", "sqrt", "abs")
_CONSTANTS = {"pi": math.pi, "e": math.e}
_SPELLINGS = {"−": "-", "·": "*", "×": "*", "⋅": "*", "**": "^", "π": "pi"}
_TOKEN = re.compile(
    r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|sin|cos|exp|log|sqrt|abs|pi|[ex]|[A-Za-z]+|\*\*"
    "|[^ \t\n\r\u00a0\u2009\u202f]"
)
_NUMBER = re.compile(r"\.?[0-9]")
_UNBOUNDED = f"it needs a lowest point: an even highest power, 2 to {HIGHEST}, with a positive number before it"

Program = tuple[tuple, ...]


@lru_cache(maxsize=64)
def loss_of(text: str) -> "Polynomial | Formula":
    """The loss that a text describes.

    Raises:
        ValueError: the text cannot be read, or its loss has no lowest point or cannot be drawn.
    """
    program = parse(text)
    exact = coefficients(program)
    if exact is not None:
        return Polynomial(text, exact)
    formula = Formula(text, program)
    formula.survey  # noqa: B018  # which raises
    return formula


def parse(text: str) -> Program:
    """The operations that a text describes; the last one is the whole.

    They are ``("x",)``, ``("pi",)``, ``("e",)``, ``("number", value, text)``, ``("+", i, j)``, with ``-``, ``*`` and
    ``/`` alike, ``("^", i, power)``, ``("minus", i)`` and ``("sin", i)`` with the other functions, where i and j are
    places in the list.

    Raises:
        ValueError: what the grammar does not know, or what is beyond its limits, in a reader's words.
    """
    if len(text) > LONGEST:
        raise ValueError(f"it has {len(text)} characters; expected at most {LONGEST}")
    written = _TOKEN.findall(text)[::-1]
    tokens = [_SPELLINGS.get(token, token) for token in written]
    program = []

    def emit(*operation):
        program.append(operation)
        return len(program) - 1

    def ahead(*symbols):
        return bool(tokens) and tokens[-1] in symbols

    def take():
        if not tokens:
            raise ValueError("it ends too early")
        written.pop()
        return tokens.pop()

    def fail():
        if tokens:
            raise ValueError(f"it has “{written[-1]}” where that makes no sense")
        take()

    def whole(depth):
        total = product(depth)
        while ahead("+", "-"):
            total = emit(take(), total, product(depth))
        return total

    def product(depth):
        total = power(depth)
        while tokens and not ahead("+", "-", ")"):
            sign = take() if ahead("*", "/") else ""
            if not sign and _NUMBER.match(tokens[-1]):
                fail()
            total = emit(sign or "*", total, power(depth))
        return total

    def power(depth):
        base = atom(depth)
        if ahead("²", "³"):
            return emit("^", base, 2 if take() == "²" else 3)
        if not ahead("^"):
            return base
        take()
        exponent = take()
        if not re.fullmatch("[0-9]+", exponent) or int(exponent) > HIGHEST:
            raise ValueError(f"it has the power “{exponent}”; expected a whole number from 0 to {HIGHEST}")
        return emit("^", base, int(exponent))

    def atom(depth):
        if depth > DEEPEST:
            raise ValueError(f"it has more than {DEEPEST} parentheses and signs inside each other")
        if ahead("+", "-"):
            sign, inside = take(), power(depth + 1)
            return emit("minus", inside) if sign == "-" else inside
        if ahead("x", "pi", "e"):
            return emit(take())
        if tokens and _NUMBER.match(tokens[-1]):
            return number(take())
        name = take() if ahead(*FUNCTIONS) else ""
        if name and not ahead("("):
            raise ValueError(f"it has “{name}” without parentheses; expected {name}(…)")
        if not ahead("("):
            fail()
        take()
        inside = whole(depth + 1)
        if not ahead(")"):
            fail()
        take()
        return emit(name, inside) if name else inside

    def number(token):
        value = float(token)
        exponent = re.split("[eE]", token)[1:] or ["0"]
        if abs(float(exponent[0])) > 30 or (value and not 1e-30 <= value <= 1e30):
            raise ValueError(f"it has the number “{token}”; expected 0, or one from 1e-30 to 1e30")
        return emit("number", value, token)

    whole(0)
    if tokens:
        fail()
    return tuple(program)


def _operands(operation: tuple) -> tuple[int, ...]:
    """The places of what an operation takes."""
    name, *rest = operation
    return () if name == "number" else tuple(rest[:1] if name == "^" else rest)


def coefficients(program: Program) -> tuple[Fraction, ...] | None:
    """A polynomial's coefficients, highest power first; None for what is none.

    Raises:
        ValueError: it has no lowest point, or a power above 12, or cannot be drawn.
    """
    free: list[bool] = []
    for operation in program:
        free.append(operation[0] == "x" or any(free[i] for i in _operands(operation)))
        if operation[0] in FUNCTIONS or (operation[0] == "/" and free[operation[2]]):
            return None
    results: list[list[Fraction]] = []
    for name, *rest in program:
        if name == "x":
            result = [Fraction(1), Fraction(0)]
        elif name == "number":
            result = [Fraction(rest[1])]
        elif name in _CONSTANTS:
            result = [Fraction(_CONSTANTS[name])]
        elif name == "^":
            result = [Fraction(1)]
            for _ in range(rest[1]):
                result = _multiply(result, results[rest[0]])
        elif name == "minus":
            result = [-c for c in results[rest[0]]]
        else:
            left, right = (results[i] for i in rest)
            if name == "*":
                result = _multiply(left, right)
            elif name == "/":
                if not right[0]:
                    raise ValueError("it divides by 0")
                result = [c / right[0] for c in left]
            else:
                result = _add(left, right if name == "+" else [-c for c in right])
        results.append(_measured(result))
    terms = results[-1]
    while len(terms) > 1 and not terms[0]:
        del terms[0]
    if len(terms) < 3 or len(terms) % 2 == 0 or terms[0] < 0:
        raise ValueError(_UNBOUNDED)
    sizes = [abs(c) for c in terms if c]
    if min(sizes) < SMALLEST or max(sizes) > LARGEST or max(sizes) > APART * min(sizes):
        raise ValueError(
            f"the numbers before its powers go from {_number(min(sizes))} to {_number(max(sizes))} in size; "
            "expected 1e-10 to 1e+6, and none 1e+10 times another"
        )
    # Fujiwara's bound on the roots of the derivative.
    slope = [c * (len(terms) - 1 - i) for i, c in enumerate(terms[:-1])]
    if any(abs(c) > (FAR // 2) ** i * slope[0] for i, c in enumerate(slope)):
        raise ValueError(f"its hills and valleys need not lie between -{FAR} and {FAR}")
    return tuple(terms)


def _add(a, b):
    length = max(len(a), len(b))
    padded = ([Fraction(0)] * (length - len(terms)) + terms for terms in (a, b))
    return [x + y for x, y in zip(*padded, strict=True)]


def _multiply(a, b):
    product = [Fraction(0)] * (len(a) + len(b) - 1)
    if len(product) > HIGHEST + 1:
        raise ValueError(_UNBOUNDED)
    for i, c in enumerate(a):
        for j, d in enumerate(b):
            product[i + j] += c * d
    return _measured(product)


def _measured(terms):
    if any(max(c.numerator.bit_length(), c.denominator.bit_length()) > BITS for c in terms):
        raise ValueError("its numbers have too many digits when it is multiplied out")
    return terms


def _number(value, digits=None):
    """A number as JavaScript's toExponential writes it; by default with as many digits as it needs."""
    if digits is None:
        return f"{Decimal(repr(float(value))).normalize():e}"
    return re.sub(r"e([+-])0", r"e\1", f"{float(value) + 0.0:.{digits}e}").replace("inf", "Infinity")


def forward(program: Program, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Value and slope of a formula at ``x``, in float64: both are carried through the operations in their order.

    ``forward`` in ``dynamics.js`` does the same, and the same numbers come out but for the rounding of the functions.
    The slope is NaN where it has none or the formula no value, which then is NaN or infinite.
    """
    x = np.asarray(x, dtype=np.float64)
    zero, one = np.zeros_like(x), np.ones_like(x)
    done: list[tuple[np.ndarray, np.ndarray]] = []
    with np.errstate(all="ignore"):
        for name, *rest in program:
            if name == "x":
                result = x, one
            elif name == "number":
                result = one * rest[0], zero
            elif name in _CONSTANTS:
                result = one * _CONSTANTS[name], zero
            elif name == "^":
                result = _power(*done[rest[0]], rest[1])
            elif len(rest) == 2:
                result = _combined(name, *done[rest[0]], *done[rest[1]])
            else:
                result = _applied(name, *done[rest[0]])
            done.append(result)
    value, slope = done[-1]
    return value, np.where(np.isfinite(value) & np.isfinite(slope), slope, np.nan)


def _power(a, da, exponent):
    below = np.ones_like(a)
    if exponent == 0:
        return below, np.zeros_like(a)
    for _ in range(exponent - 1):
        below = below * a
    return below * a, exponent * below * da


def _combined(name, a, da, b, db):
    if name == "+":
        return a + b, da + db
    if name == "-":
        return a - b, da - db
    if name == "*":
        return a * b, da * b + a * db
    return a / b, (da - a / b * db) / b


def _applied(name, a, da):
    if name == "minus":
        return -a, -da
    if name == "sin":
        return np.sin(a), np.cos(a) * da
    if name == "cos":
        return np.cos(a), -np.sin(a) * da
    if name == "exp":
        return np.exp(a), np.exp(a) * da
    if name == "log":
        return np.log(a), da / a
    if name == "sqrt":
        return np.sqrt(a), da / (2 * np.sqrt(a))
    return abs(a), np.sign(a) * da


class _Forward(torch.autograd.Function):
    """:func:`forward`, whose slope is the gradient."""

    @staticmethod
    def forward(ctx, x, program):
        value, slope = (torch.as_tensor(each) for each in forward(program, x.numpy()))
        ctx.save_for_backward(slope)
        return value

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.saved_tensors[0], None


@dataclass(frozen=True)
class Formula:
    """A loss of one variable that is no polynomial, in float64. Between −10 and 10 it is looked at for valleys."""

    name: str
    program: Program

    def __call__(self, x):
        """The loss at ``x``: a float64 tensor, which can be differentiated once, an array or a number."""
        return _Forward.apply(x, self.program) if isinstance(x, torch.Tensor) else forward(self.program, x)[0]

    def derivative(self, x):
        """The slope of the loss at ``x``, an array or a number."""
        return forward(self.program, x)[1]

    @property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        """Minima and maxima between −10 and 10, from left to right; kinks are among them."""
        return self.survey

    @property
    def minima(self) -> tuple[StationaryPoint, ...]:
        """Those of them that are minima."""
        return tuple(point for point in self.survey if point.kind == "minimum")

    @property
    def global_minimum(self) -> StationaryPoint:
        """The lowest of the minima."""
        return _lowest(self.minima)

    @property
    def start(self) -> float:
        """Where a run is worth watching: in the lowest valley but one, to three digits."""
        return _start(self.survey, lambda x: bool(np.isfinite(forward(self.program, x)[0])))

    @cached_property
    def survey(self) -> tuple[StationaryPoint, ...]:
        """The minima and maxima, as in ``survey`` of ``dynamics.js``.

        Raises:
            ValueError: none of the minima is the lowest point, or it cannot be drawn.
        """
        x = (np.arange(SAMPLES + 1) - SAMPLES // 2) / (SAMPLES // (2 * EDGE))
        values, slopes = forward(self.program, x)
        signs = _signs(values, slopes)
        if not np.isfinite(values).any():
            raise ValueError(f"it has no value between -{EDGE} and {EDGE}")

        stands = np.isfinite(values)
        turns, cliffs, shores, last = [], [], [], None
        for i, sign in enumerate(signs):
            if i and stands[i] != stands[i - 1]:
                shores.append((i - 1, i) if stands[i - 1] else (i, i - 1))
            if not stands[i]:
                last = None
            elif sign:
                if last is not None and signs[last] != sign:
                    turns.append((last, i))
                elif last is not None and last == i - 1 and (values[i] - values[last]) * sign < 0:
                    cliffs.append((last, i))
                last = i
        if len(turns) + len(cliffs) + len(shores) > BREAKS:
            raise ValueError(f"it turns or breaks off too often between -{EDGE} and {EDGE}")

        points, ends = [], []
        for (a, b), place, value, steep in zip(turns, *self._turns(x, signs, turns), strict=True):
            dips = signs[a] < 0
            deep = min((values[[a, b]] - value) * (1 if dips else -1)) > 1e-12 * (1 + abs(value))
            if steep:
                ends.append(-np.inf if dips else np.inf)
            elif deep:
                points.append(StationaryPoint(float(place), float(value), "minimum" if dips else "maximum", None))
        ends += [values[i] for i in (0, SAMPLES) if np.isfinite(values[i])]
        ends += self._shores(x, values, shores) + self._cliffs(x, values, signs, cliffs)
        return _judged(points, ends, values, lambda place: forward(self.program, place)[0])

    def _turns(self, x, signs, brackets):
        """Where the slope changes its sign, by halving; the values, and whether the formula has no bound there."""
        low, high, sign = _ends(x, signs, brackets)
        for _ in range(40):
            middle = (low + high) / 2
            now = _signs(*forward(self.program, middle))
            low, high = np.where(now == -sign, low, middle), np.where(now == sign, high, middle)
        place = (low + high) / 2
        value, slope = forward(self.program, place)
        return place, value, ~np.isfinite(value) | (abs(slope) > STEEP)

    def _shores(self, x, values, brackets):
        """The last values before the formula has none."""
        dry, wet, before = _ends(x, values, brackets)
        for _ in range(40):
            middle = (dry + wet) / 2
            stands = np.isfinite(forward(self.program, middle)[0])
            dry, wet = np.where(stands, middle, dry), np.where(stands, wet, middle)
        return self._bounded(dry, before)

    def _cliffs(self, x, values, signs, brackets):
        """The values at both sides of a jump, which goes against the slope."""
        low, high, sign = _ends(x, signs, brackets)
        before = _ends(x, values, brackets)[2]
        for _ in range(40):
            middle = (low + high) / 2
            with np.errstate(invalid="ignore"):
                jumped = (forward(self.program, middle)[0] - forward(self.program, low)[0]) * sign < 0
            low, high = np.where(jumped, low, middle), np.where(jumped, middle, high)
        return self._bounded(low, before) + self._bounded(high, before)

    def _bounded(self, places, before):
        """The values at these places, −∞ where they fall steeply from those before."""
        value, slope = forward(self.program, places)
        value = np.where((abs(slope) > STEEP) & (value < before), -np.inf, value)
        return list(value[~np.isnan(value)])


def _signs(values, slopes):
    """The signs of slopes, 0 where there is none."""
    return np.where(np.isfinite(values), np.nan_to_num(np.sign(slopes)), 0.0)


def _ends(x, quantity, brackets):
    """Of each bracket the two places, and something at the first of them."""
    places = np.array(brackets, dtype=int).reshape(-1, 2)
    return x[places[:, 0]], x[places[:, 1]], quantity[places[:, 0]]


def _judged(points, ends, values, at):
    """The points, if what is lowest is one of them, and if they can be drawn."""
    minima = [point for point in points if point.kind == "minimum"]
    if not minima:
        raise ValueError(f"it needs a lowest point between -{EDGE} and {EDGE}, and has no valley there")
    lowest = _lowest(minima)
    if min(ends, default=np.inf) < lowest.value - 1e-9 * (1 + abs(lowest.value)):
        raise ValueError(
            f"it needs a lowest point between -{EDGE} and {EDGE}, and is lower than its valleys at an end of its curve"
        )
    if len(minima) > VALLEYS:
        raise ValueError(f"it has {len(minima)} valleys between -{EDGE} and {EDGE}; expected at most {VALLEYS}")
    rise = _rise(points, lowest, values, at)
    if not 1e-9 * (1 + abs(lowest.value)) < rise < TALL or abs(lowest.value) > TALL:
        raise ValueError(
            f"its lowest value is {_number(lowest.value, 3)} and its hills rise {_number(rise, 3)} above it; expected "
            "sizes up to 1e+9, and hills that can be told from level ground"
        )
    return tuple(points)


def _lowest(points):
    """The lowest point; of those that are equal but for rounding the one next to 0."""
    best, *others = points
    for point in others:
        rounding = 1e-9 * (1 + abs(best.value))
        nearer = abs(point.x) < abs(best.x) - 1e-9 and point.value <= best.value + rounding
        if nearer or point.value < best.value - rounding:
            best = point
    return best


def _rise(points, lowest, values, at):
    """How high above the lowest point the picture goes at least: the highest hill, or the lower wall."""
    hills = [point.value for point in points if point.kind == "maximum"]
    walls = [value for value in (at(lowest.x - 3), at(lowest.x + 3)) if np.isfinite(value)]
    top = max(hills) if hills else min(walls) if walls else max(values[np.isfinite(values)])
    return float(top - lowest.value)


def _start(points, stands):
    minima = [point for point in points if point.kind == "minimum"]
    lowest = _lowest(minima)
    false = [point for point in minima if point is not lowest]
    valley = _lowest(false) if false else lowest
    places = [valley.x + 1, valley.x - 1]
    if false:
        hill = min((p for p in points if p is not valley), key=lambda p: abs(p.x - valley.x))
        places.insert(0, (valley.x + hill.x) / 2)
    return float(f"{next((x for x in places if stands(x)), valley.x):.3g}")
