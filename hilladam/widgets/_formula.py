"""A polynomial as it is typed, such as ``"(x^2 - 1)^2 + 0.3x"``: the grammar of ``dynamics.js``, with exact numbers."""

import re
from fractions import Fraction

HIGHEST = 12


def parse(text: str) -> tuple[Fraction, ...]:
    """The coefficients, highest power first: numbers, x, + - * / ^ and parentheses; a product may go without its sign.

    Raises:
        ValueError: what is no polynomial, or has no lowest point, or a power above 12.
    """
    tokens = re.findall(r"\d+\.?\d*|\.\d+|\S", text.replace("**", "^").replace("−", "-"))[::-1]

    def ahead(symbols):
        return bool(tokens) and tokens[-1] in symbols

    def take():
        return tokens.pop() if tokens else fail(None)

    def fail(token):
        raise ValueError("it ends too early" if token is None else f"it has {token!r} where that makes no sense")

    def whole():
        total = product()
        while ahead("+-"):
            sign = -1 if take() == "-" else 1
            total = _add(total, _multiply([Fraction(sign)], product()))
        return total

    def product():
        total = power()
        while tokens and not ahead("+-)"):
            divides = ahead("*/") and take() == "/"
            factor = power()
            if divides and (len(factor) > 1 or not factor[0]):
                fail("/")
            total = _multiply(total, [1 / factor[0]] if divides else factor)
        return total

    def power():
        base = atom()
        if not ahead("^"):
            return base
        take()
        exponent = take()
        if not re.fullmatch(r"\d+", exponent) or int(exponent) > HIGHEST:
            fail(exponent)
        total = [Fraction(1)]
        for _ in range(int(exponent)):
            total = _multiply(total, base)
        return total

    def atom():
        token = take()
        if token in "+-":
            return _multiply([Fraction(-1 if token == "-" else 1)], power())
        if token == "x":
            return [Fraction(1), Fraction(0)]
        if re.match(r"\.?\d", token):
            return [Fraction(token)]
        if token != "(":
            fail(token)
        inside = whole()
        close = take()
        return inside if close == ")" else fail(close)

    terms = whole()
    if tokens:
        fail(tokens[-1])
    while len(terms) > 1 and not terms[0]:
        del terms[0]
    if len(terms) < 3 or len(terms) % 2 == 0 or terms[0] < 0:
        raise ValueError(_UNBOUNDED)
    return tuple(terms)


_UNBOUNDED = f"it needs a lowest point: an even highest power, 2 to {HIGHEST}, with a positive number before it"


def _add(a, b):
    length = max(len(a), len(b))
    return [x + y for x, y in zip(_pad(a, length), _pad(b, length), strict=True)]


def _pad(terms, length):
    return [Fraction(0)] * (length - len(terms)) + terms


def _multiply(a, b):
    product = [Fraction(0)] * (len(a) + len(b) - 1)
    if len(product) > HIGHEST + 1:
        raise ValueError(_UNBOUNDED)
    for i, c in enumerate(a):
        for j, d in enumerate(b):
            product[i + j] += c * d
    return product
