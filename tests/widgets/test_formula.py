"""What a reader types is read, refused and computed in the page as in Python."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from traitlets import TraitError

from hilladam.experiments import run_points
from hilladam.losses import Polynomial
from hilladam.widgets import HillExplorer
from hilladam.widgets._formula import FUNCTIONS, Formula, forward, loss_of, parse

NAMES = ["Hill-ADAM", "Adam", "momentum", "RMSprop", "NAdam", "RAdam", "CoolMomentum"]
READ = """
import { lossOf } from "./formula.js";
import { landscape } from "./hill.js";
const read = (text) => {
  try {
    const { coefficients, program, points, rise, start, ...rest } = lossOf(text);
    const { domain } = landscape({ coefficients, program, points, rise, start, ...rest });
    return { coefficients, program, points, start, domain };
  } catch (error) {
    return error.constructor === Error ? error.message : `not meant: ${error.stack}`;
  }
};
export default (texts) => texts.map(read);
"""


def read(text):
    """What a text is in Python, as ``READ`` has it."""
    try:
        loss = loss_of(text)
    except ValueError as error:
        return str(error)
    if isinstance(loss, Polynomial):
        return {"coefficients": [float(c) for c in loss.coefficients]}
    points = [{"x": p.x, "value": p.value, "kind": p.kind} for p in loss.stationary_points]
    return {"program": json.loads(json.dumps(loss.program)), "points": points, "start": loss.start}


def same(here, there):
    if isinstance(here, str) or isinstance(there, str):
        return here == there
    if "coefficients" in here:
        return here["coefficients"] == there.get("coefficients")
    if here["program"] != there.get("program") or len(here["points"]) != len(there["points"]):
        return False
    pairs = zip(here["points"], there["points"], strict=True)
    return here["start"] == pytest.approx(there["start"], rel=1e-2) and all(
        a["kind"] == b["kind"] and a["x"] == pytest.approx(b["x"], abs=1e-6)
        and a["value"] == pytest.approx(b["value"], rel=1e-9, abs=1e-9)
        for a, b in pairs
    )  # fmt: skip


# Texts of the grammar, and texts with some letters more, fewer or doubled.

NUMBERS = st.sampled_from(["0", "1", "2", "3", "0.3", ".5", "7.", "12", "100", "1e3", "2e-3", "1E2", "0.1"])
SPACES = st.sampled_from(["", "", "", " ", "\t", "\n", "\u00a0", "\u2009"])


def joined(*parts):
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts)).map("".join)


def larger(inner):
    power = joined(inner, st.sampled_from(["^2", "^3", "^4", "**6", "^0", "^12", "²", "³", " ^ 2"]))
    sums = joined(inner, SPACES, st.sampled_from("+-−"), SPACES, inner)
    products = joined(inner, st.sampled_from(["*", "/", "·", "×", "", " ", " * "]), inner)
    applied = joined(st.sampled_from(FUNCTIONS), "(", inner, ")")
    return st.one_of(power, sums, sums, products, applied, joined("(", inner, ")"), joined("-", inner))


WRITTEN = st.recursive(st.one_of(st.just("x"), st.just("x"), NUMBERS, st.sampled_from(["pi", "e", "π"])), larger,
                       max_leaves=12)  # fmt: skip
LOSSES = joined(st.sampled_from(["x^2", "0.1x^2", "x^4", "(x^2 - 1)^2", "-exp(-x²)"]), " + ", WRITTEN)
JUNK = st.one_of(
    st.sampled_from("x^*/+-()0123456789.eE π²³−·|!,"),
    st.sampled_from("\u0663\uff15\u00b9\u2003\u3000\u200b\ufeff\x1c\x85\u2028\U0001d7da\U0001f600ıſKß"),
    st.characters(exclude_categories=["Cs"]),
)


@st.composite
def mutated(draw):
    text = draw(st.one_of(WRITTEN, LOSSES))
    for _ in range(draw(st.integers(1, 3))):
        i, j = sorted(draw(st.tuples(*2 * [st.integers(0, len(text))])))
        middle = draw(st.sampled_from(["", text[i:j] * 2, "x", None]))
        text = text[:i] + (text[i:j] + draw(JUNK) if middle is None else middle) + text[j:]
    return text


# With 0.1, 0.2 and 0.3 sums that cancel exactly, and in floating-point numbers do not.
CANCELLING = st.lists(
    joined(st.sampled_from("+-"), st.sampled_from(["0.1", "0.2", "0.3", "1/3", "2/3", "1"]), "x",
           st.sampled_from(["^2", "^3", "^4", "^6"])), min_size=3, max_size=9,
).map("".join)  # fmt: skip


def gathered(texts, count):
    """So many of them, the same every time."""
    found = []

    @settings(max_examples=count, phases=[Phase.generate], database=None)
    @given(texts)
    def gather(text):
        found.append(text)

    gather()
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(("texts", "count"), [(WRITTEN, 400), (LOSSES, 250), (mutated(), 600), (CANCELLING, 400)],
                         ids=["written", "losses", "mutated", "cancelling"])  # fmt: skip
def test_the_page_reads_what_python_reads_and_says_the_same(node, texts, count):
    texts = gathered(texts, count)
    assert len(texts) > count / 3
    readable = 0
    for text, there in zip(texts, node(READ, texts), strict=True):
        here = read(text)
        assert same(here, there), (text, here, there)
        if isinstance(there, dict):
            readable += 1
            left, right, bottom, top = there["domain"]  # null stands for what is not finite
            assert left < right and bottom < top and top - bottom > 1e-13 * max(abs(top), abs(bottom)), (text, there)
    assert readable > count / 50


REFUSED = {
    "": "it ends too early",
    "2 +": "it ends too early",
    "(x^2": "it ends too early",
    "x^": "it ends too early",
    "y^2": "it has “y” where that makes no sense",
    "x^2)": "it has “)” where that makes no sense",
    "x^2^2": "it has “^” where that makes no sense",
    "x 2": "it has “2” where that makes no sense",
    "tan(x)": "it has “tan” where that makes no sense",
    "٣x^2": "it has “٣” where that makes no sense",
    "3٣x^2": "it has “٣” where that makes no sense",
    "x^２": "it has the power “２”; expected a whole number from 0 to 12",
    "x^1.5": "it has the power “1.5”; expected a whole number from 0 to 12",
    "x^(2)": "it has the power “(”; expected a whole number from 0 to 12",
    "x^99": "it has the power “99”; expected a whole number from 0 to 12",
    "x^2 +\u3000x": "it has “\u3000” where that makes no sense",
    "sin x": "it has “sin” without parentheses; expected sin(…)",
    "x^2 + 1e400": "it has the number “1e400”; expected 0, or one from 1e-30 to 1e30",
    "x^2 + 0e999999999": "it has the number “0e999999999”; expected 0, or one from 1e-30 to 1e30",
    "x" * 100_000: "it has 100000 characters; expected at most 300",
    "(" * 140 + "x^2" + ")" * 140: "it has more than 20 parentheses and signs inside each other",
    "-" * 250 + "x^2": "it has more than 20 parentheses and signs inside each other",
    "((((((9^12)^12)^12)^12)^12)^12)^12x^2": "its numbers have too many digits when it is multiplied out",
    "x^2/0": "it divides by 0",
    "x^2/(1 - 1)": "it divides by 0",
    **dict.fromkeys(
        ["7", "x^3", "-x^4", "((x^9)^9)^9", "x^12x^2 - x^2", "0.1x^4 + 0.2x^4 - 0.3x^4", "pi"],
        "it needs a lowest point: an even highest power, 2 to 12, with a positive number before it",
    ),
    "1e9x^2": "the numbers before its powers go from 1e+9 to 1e+9 in size; "
    "expected 1e-10 to 1e+6, and none 1e+10 times another",
    "x^2/10^8 + 1234x": "the numbers before its powers go from 1e-8 to 1.234e+3 in size; "
    "expected 1e-10 to 1e+6, and none 1e+10 times another",
    "x^2 - 10^5 x": "its hills and valleys need not lie between -1000 and 1000",
    "sqrt(-1 - x^2)": "it has no value between -10 and 10",
    "sin(x)/0": "it has no value between -10 and 10",
    "exp(x)": "it needs a lowest point between -10 and 10, and has no valley there",
    "x^5/x^4": "it needs a lowest point between -10 and 10, and has no valley there",
    **dict.fromkeys(
        ["sin(x) + x^3/100", "x^2/10 + 1/(x - 1.2345)", "log(abs(x - 1.2345)) + sin(x)"],
        "it needs a lowest point between -10 and 10, and is lower than its valleys at an end of its curve",
    ),
    "sin(20x)": "it has 64 valleys between -10 and 10; expected at most 60",
    "sin(1000x^2)": "it turns or breaks off too often between -10 and 10",
    "1e12cos(x)": "its lowest value is -1.000e+12 and its hills rise 2.000e+12 above it; expected sizes up to 1e+9, "
    "and hills that can be told from level ground",
}


def test_refuses_what_is_no_loss_and_says_why(node):
    for (text, reason), there in zip(REFUSED.items(), node(READ, list(REFUSED)), strict=True):
        assert there == read(text) == reason, text[:40]
        with pytest.raises(TraitError, match="Invalid loss") as refusal:
            HillExplorer(loss=text)
        assert reason in str(refusal.value) and len(str(refusal.value)) < 500


POLYNOMIALS = {
    "x^2": (1, 0, 0),
    "(x² - 1)² + 0.3x": (1, 0, -2, 0.3, 1),
    "2x^4/5 − 3(x+1)(x-1)": (0.4, 0, -3, 0, 3),
    "-x + x**2": (1, -1, 0),
    ".5 x^2 x^2 - 1.25": (0.5, 0, 0, 0, -1.25),
    "((x-1)(x+2))^2 - 1/3": (1, 2, -3, -4, 4 - 1 / 3),
    "0.1x^4 + 0.2x^4 - 0.3x^4 + x·x": (1, 0, 0),
    "x^2 + e^2/e - 2e-3": (1, 0, math.e - 0.002),
    "xx+πx": (1, math.pi, 0),
    # The middle between two float64 numbers, and 1e-30 above it.
    "x^2 + x(1 + 0.5^12*0.5^12*0.5^12*0.5^12*0.5^5 + 1e-30)": (1, math.nextafter(1, 2), 0),
}


def test_polynomials_are_exact(node):
    for (text, expected), there in zip(POLYNOMIALS.items(), node(READ, list(POLYNOMIALS)), strict=True):
        loss = loss_of(text)
        assert isinstance(loss, Polynomial)
        assert there["coefficients"] == [float(c) for c in loss.coefficients] == pytest.approx(expected, rel=1e-15), (
            text
        )


def test_a_polynomial_of_ones_own_has_the_bits_of_the_compiled_engine(node):
    pytest.importorskip("numba")
    text, steps = "x^4/3 - 0.7x^3 - pi x^2 + 0.1x", 5000
    source = """
    import { run } from "./dynamics.js";
    import { lossOf } from "./formula.js";
    export default ({ text, ...settings }) => [...run(lossOf(text), 1.7, "Hill-ADAM", settings).x];
    """
    rule = {"lr": 0.03, "delta": 1e-4, "gamma": 20.0}
    there = node(source, {"text": text, "steps": steps, "beta1": 0.9, "beta2": 0.999, **rule})
    here = run_points(loss_of(text), [1.7], steps, betas=(0.9, 0.999), **rule)
    np.testing.assert_array_equal(there[:-1], here.states[:, 0])


# Values and slopes.

EVALUATE = """
import { forward } from "./dynamics.js";
import { parse } from "./formula.js";
export default ({ texts, xs }) => texts.map((text) => xs.map((x) => forward(parse(text), x)));
"""
OWN_OPERATIONS = ["x^3/(1 + x^2) - 2x", "sqrt(abs(x^5 - 3x)) + 1/x", "abs(x - 1)^7 sqrt(x)/pi", "x^0 + (x/e)^1 - -x",
                  "1/(x - 1)^2 + sqrt(x - 2)", "x/x^12 + .1"]  # fmt: skip
LIBRARY = ["sin(x)", "cos(x)", "exp(x)", "log(x)", "sqrt(x)", "abs(x)", "0.1x^2 + sin(3x)", "x - log(x)", "exp(-x^2/2)",
           "log(1 + exp(-3x))", "sin(exp(cos(x)))^3/(2 + cos(pi x))", "exp(1)"]  # fmt: skip
XS = np.append(np.linspace(-4, 4, 161), [0.1234567, 1e-9, 30.0])


def evaluated(node, texts):
    found = node(EVALUATE, {"texts": texts, "xs": XS.tolist()})
    for text, there in zip(texts, found, strict=True):
        value, slope = forward(parse(text), XS)
        here = np.stack([value, slope], axis=1)
        yield text, np.where(np.isfinite(here), here, np.nan), np.array(there, dtype=float)


def test_values_and_slopes_have_the_same_bits_without_the_mathematics_library(node):
    for text, here, there in evaluated(node, OWN_OPERATIONS):
        np.testing.assert_array_equal(there, here, err_msg=text)


def test_values_and_slopes_are_the_same_up_to_its_rounding(node):
    for text, here, there in evaluated(node, LIBRARY):
        np.testing.assert_allclose(there, here, rtol=1e-13, atol=1e-14, err_msg=text)


def differentiable(program, x):
    """The value as torch computes and differentiates it."""
    done = []
    for name, *rest in program:
        match name:
            case "x":
                result = x
            case "number":
                result = torch.full_like(x, rest[0])
            case "pi" | "e":
                result = torch.full_like(x, getattr(math, name))
            case "^":
                result = done[rest[0]] ** rest[1]
            case "minus":
                result = -done[rest[0]]
            case "+" | "-" | "*" | "/":
                operations = {"+": torch.add, "-": torch.sub, "*": torch.mul, "/": torch.div}
                result = operations[name](done[rest[0]], done[rest[1]])
            case _:
                result = getattr(torch, name)(done[rest[0]])
        done.append(result)
    return done[-1]


@pytest.mark.parametrize("text", OWN_OPERATIONS + LIBRARY)
def test_the_slope_is_what_torch_differentiates(text):
    x = torch.tensor(XS, requires_grad=True)
    loss, expected = Formula(text, parse(text)), differentiable(parse(text), x)
    value, slope = loss(x), torch.as_tensor(loss.derivative(XS))
    defined = slope.isfinite()
    assert defined.sum() > 40
    torch.testing.assert_close(value[defined], expected[defined], rtol=1e-13, atol=1e-14)
    if expected.requires_grad:
        (differentiated,) = torch.autograd.grad(expected.sum(), x)
        torch.testing.assert_close(slope[defined], differentiated[defined], rtol=1e-11, atol=1e-12)
    else:
        assert not slope.any()
    (given,) = torch.autograd.grad(value.sum(), x)
    torch.testing.assert_close(given, slope, rtol=1e-14, atol=0, equal_nan=True)


def test_no_slope_where_there_is_no_value():
    places = {"log(x)": (-1.0, 0.0), "sqrt(x)": (-1.0, 0.0), "1/x": (0.0,), "exp(exp(x))": (7.0,), "x/x": (0.0,)}
    for text, xs in places.items():
        assert np.isnan(Formula(text, parse(text)).derivative(xs)).all(), text


# Runs.

RUN = """
import { run } from "./dynamics.js";
import { lossOf } from "./formula.js";
export default (jobs) =>
  jobs.map(({ text, start, names, ...settings }) =>
    names.map((name) => {
      const { x, loss, best, end } = run(lossOf(text), start, name, settings);
      return { x: [...x], best: loss[best[settings.steps]], lowest: [...best].map((t) => loss[t]), end };
    }),
  );
"""


def both(node, **settings):
    explorer = HillExplorer(optimizers=NAMES, **settings)
    runs = explorer.run()
    names = ("start", "lr", "beta1", "beta2", "delta", "gamma", "steps")
    job = {name: getattr(explorer, name) for name in names} | {"text": explorer.loss, "names": NAMES}
    (there,) = node(RUN, [job])
    return [(name, runs[name], run) for name, run in zip(NAMES, there, strict=True)]


@pytest.mark.parametrize("settings", [
    {"loss": "0.1x^2 + sin(3x)", "lr": 0.02, "steps": 300},
    {"loss": "log(1 + x^2) - 0.3cos(4x)", "lr": 0.01, "steps": 300},
    {"loss": "sqrt(0.1 + x^2) - exp(-(x - 2)^2)", "lr": 0.03, "steps": 200, "delta": 1e-3},
], ids=lambda settings: settings["loss"])  # fmt: skip
def test_runs_on_formulas_equal_torch(node, settings):
    for name, here, there in both(node, **settings):
        assert there["end"] is None
        np.testing.assert_allclose(there["x"][:-1], here.states.ravel(), rtol=0, atol=1e-8, err_msg=name)


@pytest.mark.filterwarnings("ignore:HillAdam was given a loss that is not finite")
@pytest.mark.parametrize("settings", [
    {"loss": "x - log(x)", "lr": 0.9, "start": 0.2, "steps": 60},
    {"loss": "0.1x^2 + 1/x^2", "lr": 0.01, "start": 0.0, "steps": 5},
    {"loss": "x - log(x)", "start": -1.0, "steps": 5},
], ids=str)  # fmt: skip
def test_a_run_ends_where_there_is_no_loss(node, settings):
    ended = 0
    for name, here, there in both(node, **settings):
        xs, end = np.array(there["x"][:-1], dtype=float), there["end"]
        np.testing.assert_allclose(xs, here.states.ravel(), rtol=0, atol=1e-8, err_msg=name)
        assert np.isnan(xs).any() == (end is not None)
        if end is not None:
            ended += 1
            assert math.isfinite(xs[end]) and np.isnan(xs[end + 1 :]).all()
            assert not math.isfinite(here.losses[end])
            if end:
                assert there["best"] == pytest.approx(here.best_losses, abs=1e-9)
                assert all(a >= b for a, b in zip(there["lowest"], there["lowest"][1:], strict=False))
    assert ended


def test_each_optimizer_may_have_its_own_rate():
    alike, apart = HillExplorer(lr=0.01), HillExplorer(lr=0.01, rates={"Adam": 0.03})
    assert apart.run()["Hill-ADAM"] == alike.run()["Hill-ADAM"]
    assert apart.run()["Adam"] == HillExplorer(lr=0.03).run()["Adam"]
    for rates in ({"SGD": 0.1}, {"Adam": -1.0}, {"Adam": math.nan}):
        with pytest.raises(TraitError, match="rates"):
            HillExplorer(rates=rates)


def test_a_chosen_loss_opens_just_before_the_first_turn():
    arrived = {}
    for key, preset in HillExplorer().presets.items():
        opening = preset["opening"]
        runs = HillExplorer(loss=key, **opening).run()
        assert 0 < runs["Hill-ADAM"].switches[0] - opening["step"] <= 10
        near = HillExplorer(loss=key).polynomial.global_minimum.value + 0.01
        arrived[key] = tuple(name for name, run in runs.items() if run.best_losses < near)
    several = dict.fromkeys(("double well", "sixth", "eighth", "tenth"), ("Hill-ADAM",))
    assert arrived == several | {"x2": ("Hill-ADAM", "Adam"), "fourth": ("Adam",)}  # it turns on the level stretch
