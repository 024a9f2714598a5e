"""The colour loss is the authors' loss, and its stationary points are all of them."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hilladam.losses import (
    BLUE_WELLS,
    RED_WELLS,
    ColourLoss,
    Polynomial,
    double_well,
    preference,
    stack_colours,
)

SOURCE, TARGET = (0.65, 0.45, 0.25), (0.2, 0.4, 0.7)
means = st.tuples(*[st.floats(0.02, 1.0)] * 3)


def written_out(gains, source=SOURCE, target=TARGET):
    r, g, b = gains[..., 0], gains[..., 1], gains[..., 2]
    match = sum((s * x - t) ** 2 for s, t, x in zip(source, target, (r, g, b), strict=True))
    return match + ((b - 2.1) ** 2 - 1) ** 2 + 0.3 * b + 2 + ((r + 0.5) ** 2 - 1) ** 2


@given(means, means)
def test_the_loss_is_the_published_one(source, target):
    gains = np.random.default_rng(0).uniform(-3, 4, (50, 3))
    expected = written_out(gains, source, target)
    loss = ColourLoss(source, target)
    np.testing.assert_allclose(loss(gains), expected, rtol=1e-11)
    np.testing.assert_allclose(loss(torch.tensor(gains)).numpy(), expected, rtol=1e-11)
    np.testing.assert_allclose(sum(loss.terms(gains).values()), expected, rtol=1e-11)


def test_its_minima_for_the_means_of_the_text():
    loss = ColourLoss(SOURCE, TARGET)
    assert [point.kind for point in loss.stationary_points].count("minimum") == 4
    assert [point.kind for point in loss.stationary_points].count("saddle") == 5  # green has no maximum
    assert loss.global_minimum.value == pytest.approx(2.5243, abs=1e-4)
    assert loss.global_minimum.gains == pytest.approx((0.4811, 0.8889, 1.0894), abs=1e-4)
    values = sorted(point.value for point in loss.minima)
    assert values == pytest.approx([2.5243, 2.9424, 3.7267, 4.1449], abs=1e-4)


@settings(max_examples=20, deadline=None)
@given(means, means)
def test_every_stationary_point_is_one_and_of_its_kind(source, target):
    loss = ColourLoss(source, target)
    for point in loss.stationary_points:
        gains = torch.tensor(point.gains, dtype=torch.float64, requires_grad=True)
        value = loss(gains)
        assert value.item() == pytest.approx(point.value, rel=1e-12)
        (slope,) = torch.autograd.grad(value, gains)
        assert slope.abs().max() < 1e-9
        curvature = torch.autograd.functional.hessian(loss, gains.detach()).diag()
        if curvature.abs().min() > 1e-6:  # else the second derivative does not decide
            positive = int((curvature > 0).sum())
            assert point.kind == {3: "minimum", 0: "maximum"}.get(positive, "saddle")


def test_a_maximum_needs_one_in_every_channel():
    wells = double_well("0.5", 2)
    loss = ColourLoss(SOURCE, TARGET, red=wells, green=wells, blue=wells)
    assert len(loss.stationary_points) == 27
    assert [point.kind for point in loss.stationary_points].count("maximum") == 1


def test_a_gain_goes_to_the_bottom_that_gradient_flow_finds():
    loss = ColourLoss(SOURCE, TARGET)
    starts = torch.tensor(list(itertools.product((-2.0, -0.9, -0.6, 1.5), (0.0, 2.0), (0.0, 2.1, 2.2, 4.0))))
    starts = starts.double()
    gains = starts.clone()
    for _ in range(4000):
        gains.requires_grad_()
        (slope,) = torch.autograd.grad(loss(gains).sum(), gains)
        gains = (gains - 0.01 * slope).detach()
    ends = torch.tensor([loss.stationary_points[i].gains for i in loss.basin(starts).tolist()], dtype=torch.float64)
    torch.testing.assert_close(gains, ends, atol=1e-6, rtol=0)
    assert loss.basin(torch.tensor([0.0, torch.nan, 1.0])) == -1
    assert loss.basin(torch.tensor([0.0, torch.inf, 1.0])) == -1


def test_whole_gains_go_where_their_floats_go():
    loss = ColourLoss(SOURCE, TARGET)
    gains = torch.tensor(list(itertools.product((-2, -1, 0, 1), (0, 2), (0, 1, 2, 3))))
    assert (loss.basin(gains) == loss.basin(gains.double())).all()
    assert len(loss.basin(gains).unique()) == 4
    assert (loss.basin(gains.tolist()) == loss.basin(gains.numpy())).all()


def test_basins_keep_the_shape_and_lie_on_the_device_of_the_gains():
    loss = ColourLoss(SOURCE, TARGET)
    gains = torch.rand(4, 5, 3)
    gains[1, 2, 0] = torch.nan
    assert torch.equal(loss.basin(gains), torch.stack([loss.basin(row) for row in gains]))
    assert loss.basin(gains.to("meta")).device.type == "meta" and loss.basin(gains).dtype == torch.int64


@pytest.mark.parametrize("ask", [ColourLoss.__call__, ColourLoss.terms, ColourLoss.basin], ids=lambda ask: ask.__name__)
@pytest.mark.parametrize("shape", [(), (2,), (3, 4)], ids=str)
def test_gains_are_three(ask, shape):
    with pytest.raises(ValueError, match=r"Invalid gains: shape .*; expected \(…, 3\)"):
        ask(ColourLoss(SOURCE, TARGET), np.zeros(shape))


def test_regularisers_of_numpys_integers_are_exact():
    big, small = np.int32(70_000), np.int32(2)
    assert preference(big, big).coefficients == (70_000, -2 * 70_000**2, 70_000**3)
    assert double_well(-big, big, small, small, big) == double_well(-70_000, 70_000, 2, 2, 70_000)


def test_the_terms_are_the_match_and_the_regularisers_there_are():
    loss = ColourLoss(SOURCE, TARGET, green=preference("0.5", 3))
    terms = loss.terms(np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 0.5]]))
    assert list(terms) == ["match", "red", "green", "blue"]
    np.testing.assert_allclose(terms["match"], [0.45**2 + 0.5**2 + 0.05**2, 0.2**2 + 0.85**2 + 0.575**2])
    np.testing.assert_allclose(terms["red"], [1.25**2, 0.75**2])
    np.testing.assert_allclose(terms["green"], [6.75, 6.75])
    np.testing.assert_allclose(terms["blue"], [0.19**2 + 2.9, 1.56**2 + 2.15])
    assert list(ColourLoss(SOURCE, TARGET).terms(np.zeros(3))) == ["match", "red", "blue"]


def test_a_stack_of_colours_has_members():
    with pytest.raises(ValueError, match=r"Invalid losses: \(\); expected at least one"):
        stack_colours(())


def exactly(polynomial, x):
    return sum(c * x**power for power, c in enumerate(reversed(polynomial.coefficients)))


@settings(max_examples=20)
@given(low=st.integers(-40, 40), width=st.integers(1, 40), barrier=st.integers(1, 50), tilt=st.integers(-3, 3))
def test_a_double_well_is_what_its_arguments_say(low, width, barrier, tilt):
    low, high = Fraction(low, 10), Fraction(low + width, 10)
    wells = double_well(low, high, barrier, level=5)
    middle = (low + high) / 2
    for gain, value in ((low, 5), (high, 5), (middle, 5 + barrier)):
        assert exactly(wells, gain) == value
    assert [point.kind for point in wells.stationary_points] == ["minimum", "maximum", "minimum"]
    tilted = double_well(low, high, barrier, tilt, level=5)
    for gain in (low, high, middle):
        assert exactly(tilted, gain) == exactly(wells, gain) + tilt * gain


def test_the_authors_wells_are_double_wells():
    x = np.linspace(-3, 5, 41)
    np.testing.assert_allclose(RED_WELLS(x), ((x + 0.5) ** 2 - 1) ** 2, atol=1e-11)
    np.testing.assert_allclose(BLUE_WELLS(x), ((x - 2.1) ** 2 - 1) ** 2 + 0.3 * x + 2, atol=1e-11)


def test_a_loss_is_accurate_around_its_wells_however_far_out_they_are():
    far = ColourLoss((0.0005, 0.001, 0.5), (0.5, 0.9, 0.5), red=double_well(1000, 1002))
    wells = [(preference("1000.3"), 1000.3), (double_well(1000, 1002), 1001.0), (far.channels[0], 1000.0),
             (far.channels[1], 900.0)]  # fmt: skip
    for polynomial, middle in wells:
        for gain in (middle - 0.3, middle - 2**-15, middle + 2**-15, middle + 0.7):
            assert polynomial(gain) == pytest.approx(float(exactly(polynomial, Fraction(gain))), rel=1e-7, abs=0)
    assert [channel.name for channel in far.channels] == ["red", "green", "blue"]


def test_what_the_defaults_of_regularisers_are():
    assert preference("0.5") == preference("0.5", weight=1)
    assert double_well(1, 2) == double_well(1, 2, barrier=1, tilt=0, level=0)
    assert preference(1).name == "preference" and double_well(1, 2).name == "double well"


def test_means_of_zero_and_one_are_means():
    loss = ColourLoss((1, 1, 1), (0, 1, 0), red=preference(1, "0.5"), blue=None)
    assert loss.global_minimum.gains == pytest.approx((1 / 3, 1, 0))


def test_a_preference_has_one_well():
    loss = ColourLoss(SOURCE, TARGET, red=preference("0.5", 10), blue=None)
    assert len(loss.stationary_points) == 1
    free = ColourLoss(SOURCE, TARGET, red=None, blue=None)
    np.testing.assert_allclose(free.global_minimum.gains, np.divide(TARGET, SOURCE), rtol=1e-12)
    assert free.global_minimum.value == pytest.approx(0.0, abs=1e-15)
    assert abs(loss.global_minimum.gains[0] - 0.5) < abs(free.global_minimum.gains[0] - 0.5)


def test_the_physical_minimum_has_no_negative_gain():
    unphysical = ColourLoss(SOURCE, TARGET, red=double_well("-1.5", "0.5", tilt=1))
    assert unphysical.global_minimum.gains[0] < 0 < unphysical.physical_minimum.gains[0]
    with pytest.raises(ValueError, match="no minimum of this loss has three gains >= 0"):
        _ = ColourLoss(SOURCE, TARGET, red=preference(-2, 100)).physical_minimum


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_members_have_their_own_losses(dtype):
    losses = [ColourLoss(SOURCE, TARGET), ColourLoss(TARGET, SOURCE), ColourLoss(SOURCE, TARGET, red=None)]
    gains = torch.tensor([[1.0, 2.0, 3.0], [0.5, -1.0, 0.2], [-2.0, 0.0, 1.0]], dtype=dtype, requires_grad=True)
    values = stack_colours(losses, dtype=dtype)(gains)
    expected = torch.stack([loss(row) for loss, row in zip(losses, gains, strict=True)])
    torch.testing.assert_close(values, expected)
    torch.testing.assert_close(*(torch.autograd.grad(each.sum(), gains)[0] for each in (values, expected)))


def test_a_stack_of_colours_lies_on_the_device_that_was_asked_for():
    gains = torch.empty(2, 3, dtype=torch.float64, device="meta")
    values = stack_colours([ColourLoss(SOURCE, TARGET)] * 2, device="meta")(gains)
    assert values.device.type == "meta" and values.shape == (2,)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: ColourLoss((0.1, 0.2), TARGET), r"Invalid source: \(0.1, 0.2\); expected the three means"),
        (lambda: ColourLoss(SOURCE, (0.1, 0.2, 70.0)), r"Invalid target: \(0.1, 0.2, 70.0\)"),
        (lambda: ColourLoss((0.1, float("nan"), 0.1), TARGET), "Invalid source"),
        (lambda: ColourLoss((0.1, 0.2, 1.1), TARGET), "Invalid source"),
        (lambda: ColourLoss(SOURCE, (-0.1, 0.2, 0.3)), "Invalid target"),
        (lambda: ColourLoss((0.1, 0, 0.1), TARGET), "its mean green is 0 and no regulariser"),
        (lambda: ColourLoss(SOURCE, TARGET, red=Polynomial("line", (1, 0))), "Invalid red: line falls without bound"),
        (lambda: ColourLoss(SOURCE, TARGET, blue=Polynomial("hat", (-1, 0, 1))), "Invalid blue: hat falls"),
        (lambda: double_well(2, 1), "Invalid high: 1.0; expected a gain above low = 2.0"),
        (lambda: double_well(1, 2, barrier=0), "Invalid barrier: 0.0"),
        (lambda: double_well(1, 1), "Invalid high: 1.0"),
        (lambda: preference(1, -1), "Invalid weight: -1.0"),
        (lambda: preference(1, 0), "Invalid weight: 0.0"),
        (lambda: preference(float("nan")), "Invalid gain: nan; expected a finite integer"),
        (lambda: preference(1, "much"), "Invalid weight: 'much'; expected a finite integer"),
        (lambda: double_well("low", 1), "Invalid low: 'low'; expected a finite integer"),
        (lambda: double_well(0, float("inf")), "Invalid high: inf; expected a finite integer"),
        (lambda: double_well(0, 1, "high"), "Invalid barrier: 'high'; expected a finite integer"),
        (lambda: double_well(0, 1, tilt="steep"), "Invalid tilt: 'steep'; expected a finite integer"),
        (lambda: double_well(0, 1, level="up"), "Invalid level: 'up'; expected a finite integer"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
