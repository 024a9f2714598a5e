"""The updates that can be read, held to torch's optimizers step by step, and what the chapter proves of them."""

import math
from inspect import signature

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hilladam import theory
from hilladam.losses import DOUBLE_WELL, TABLE_1
from hilladam.theory import _updates as updates
from hilladam.theory._updates import State

PAIRS = {
    "gradient descent": (updates.sgd, torch.optim.SGD, {"momentum": 0.0}),
    "momentum": (updates.sgd, torch.optim.SGD, {"momentum": 0.9}),
    "Nesterov": (updates.sgd, torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "RMSprop": (updates.rmsprop, torch.optim.RMSprop, {}),
    "Adam": (updates.adam, torch.optim.Adam, {}),
    "NAdam": (updates.nadam, torch.optim.NAdam, {}),
    "RAdam": (updates.radam, torch.optim.RAdam, {}),
}
ADAPTIVE = ("Adam", "NAdam", "RAdam")


@pytest.fixture(autouse=True, scope="module")
def double():
    """NAdam keeps the product of its μ in torch's default precision, not in the parameters'."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


rates = st.floats(1e-5, 1.0)
decays = st.sampled_from([0.0, 0.5, 0.9, 0.95, 0.99])
slow_decays = st.sampled_from([0.0, 0.5, 0.7, 0.9, 0.99, 0.999, 0.9999])


def steps_of_torch(make, grads, **settings):
    """The steps on given gradients; the parameter goes back to zero, so that none loses digits to a sum."""
    x = torch.zeros(grads.shape[1:])
    opt = make([x], **settings)
    taken = []
    for grad in grads:
        x.zero_()
        x.grad = grad.clone()
        opt.step()
        taken.append(x.clone())
    return torch.stack(taken)


def steps_of_ours(update, grads, **settings):
    state, taken = State(), []
    for grad in grads:
        step, state = update(state, grad, **settings)
        taken.append(torch.as_tensor(step))
    return torch.stack(taken)


def gradients(seed, steps=40):
    """Three sequences: noise, noise over many scales, and mostly silence."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(steps, 3, generator=generator)
    noise[:, 1] *= 10.0 ** torch.linspace(-3, 3, steps)
    noise[:, 2] *= torch.rand(steps, generator=generator) < 0.2
    return noise


def check(name, grads, **settings):
    update, make, fixed = PAIRS[name]
    theirs = steps_of_torch(make, grads, **fixed, **settings)
    ours = steps_of_ours(update, grads, **fixed, **settings)
    assert theirs.isfinite().all()
    assert torch.allclose(ours, theirs, rtol=1e-10, atol=1e-13 * settings.get("lr", 1))


@settings(deadline=None, max_examples=25)
@given(lr=rates, mu=decays, nesterov=st.booleans(), seed=st.integers(0, 10**6))
def test_sgd_is_torchs_for_every_momentum(lr, mu, nesterov, seed):
    settings = dict(lr=lr, momentum=mu, nesterov=nesterov and mu > 0)
    ours = steps_of_ours(updates.sgd, gradients(seed), **settings)
    theirs = steps_of_torch(torch.optim.SGD, gradients(seed), **settings)
    assert torch.allclose(ours, theirs, rtol=1e-10, atol=1e-13 * lr)


@settings(deadline=None, max_examples=25)
@given(lr=rates, alpha=slow_decays, eps=st.sampled_from([1e-12, 1e-8, 1e-2]), seed=st.integers(0, 10**6))
def test_rmsprop_is_torchs_for_every_decay(lr, alpha, eps, seed):
    check("RMSprop", gradients(seed), lr=lr, alpha=alpha, eps=eps)


@pytest.mark.parametrize("name", ADAPTIVE)
@settings(deadline=None, max_examples=25)
@given(
    lr=rates,
    betas=st.tuples(decays, slow_decays),
    eps=st.sampled_from([1e-12, 1e-8, 1e-2]),
    seed=st.integers(0, 10**6),
)
def test_adam_and_its_children_are_torchs_for_all_betas(name, lr, betas, eps, seed):
    check(name, gradients(seed), lr=lr, betas=betas, eps=eps)


@settings(deadline=None, max_examples=25)
@given(psi=st.sampled_from([0.0, 4e-3, 0.1, 1.0]), beta1=decays, seed=st.integers(0, 10**6))
def test_nadam_is_torchs_for_every_schedule(psi, beta1, seed):
    check("NAdam", gradients(seed), lr=0.01, betas=(beta1, 0.999), momentum_decay=psi)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("loss", [DOUBLE_WELL, TABLE_1["sixth"], TABLE_1["tenth"]], ids=lambda loss: loss.name)
def test_whole_runs_agree_with_torch(name, loss):
    update, make, fixed = PAIRS[name]
    x = torch.linspace(0.1, 0.6, 7)
    theirs, state = x.clone(), State()
    opt = make([theirs], lr=1e-4, **fixed)
    for _ in range(300):
        theirs.grad = loss.derivative(theirs)
        opt.step()
        step, state = update(state, loss.derivative(x), lr=1e-4, **fixed)
        x = x + step
        assert (x - theirs).abs().max() < 1e-12
    assert state.t == 300


@pytest.mark.parametrize("name", PAIRS)
def test_numbers_arrays_and_tensors_are_treated_alike(name):
    update, _, fixed = PAIRS[name]
    grads = gradients(1)
    tensors = steps_of_ours(update, grads, **fixed)
    arrays = steps_of_ours(update, grads.numpy(), **fixed)
    numbers = steps_of_ours(update, grads[:, 0].tolist(), **fixed)
    assert torch.allclose(tensors, arrays, rtol=1e-14, atol=0)
    assert torch.allclose(tensors[:, 0], numbers, rtol=1e-14, atol=0)


def test_every_default_but_the_momentum_is_torchs():
    x = [torch.zeros(1)]
    for name in ("RMSprop", *ADAPTIVE):
        update, make, _ = PAIRS[name]
        defaults = make(x).defaults
        ours = {key: p.default for key, p in signature(update).parameters.items() if key not in ("state", "g")}
        assert ours == {key: defaults[key] for key in ours}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("setting", ["lr", "eps", "momentum", "momentum_decay", "alpha"])
@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf])
def test_a_setting_out_of_its_range_is_refused_as_torch_does(name, setting, bad):
    update, _, _ = PAIRS[name]
    if setting in signature(update).parameters:
        with pytest.raises(ValueError, match=f"Invalid {setting}: {bad}; expected a"):
            update(State(), 1.0, **{setting: bad})


@pytest.mark.parametrize("name", ADAPTIVE)
def test_a_beta_out_of_its_range_is_refused_as_torch_does(name):
    for index, betas in enumerate([(1.0, 0.9), (0.9, -0.1)]):
        with pytest.raises(ValueError, match=f"Invalid beta parameter at index {index}: {betas[index]}"):
            PAIRS[name][0](State(), 1.0, betas=betas)


@pytest.mark.parametrize("t", [0, -1, 2.5])
def test_a_schedule_is_counted_from_one(t):
    for schedule in (updates.rectification, updates.nadam_momentum):
        with pytest.raises(ValueError, match=f"Invalid t: {t}; expected an integer >= 1"):
            schedule(t)
    with pytest.raises(ValueError, match=r"Invalid beta2: 1.0"):
        updates.rectification(3, 1.0)
    with pytest.raises(ValueError, match=r"Invalid beta1: 1.0"):
        updates.nadam_momentum(3, 1.0)


# What the chapter says of them.


def test_nesterovs_method_seen_from_where_it_takes_its_gradients():
    """θ is Nesterov's own iterate; x = θ − λμb is torch's."""
    lr, mu, slope = 0.001, 0.9, TABLE_1["sixth"].derivative
    theta = x = torch.tensor([0.5, -0.9, 0.1])
    b, state = torch.zeros_like(theta), State()
    for _ in range(200):
        b = mu * b + slope(theta - lr * mu * b)
        theta = theta - lr * b
        step, state = updates.sgd(state, slope(x), lr, mu, nesterov=True)
        x = x + step
        assert (x - (theta - lr * mu * b)).abs().max() < 1e-12


@pytest.mark.parametrize(
    ("name", "first"),
    [("RMSprop", 10.0), ("Adam", 1.0), ("NAdam", 1.0 + 0.1 * 0.9 * (1 - 0.96**0.008 / 2) / (1 - 0.450073 * 0.450147))],
)
def test_the_first_step_is_a_number_of_learning_rates_whatever_the_gradient(name, first):
    for g in (1e-3, 1.0, -1e4):
        step, _ = PAIRS[name][0](State(), g, lr=1.0)
        assert -step * math.copysign(1, g) == pytest.approx(first, rel=2e-4)


def test_radam_starts_with_bare_momentum():
    assert [updates.rectification(t) is None for t in range(1, 8)] == [True] * 5 + [False] * 2
    for g in (1e-3, 1.0, 1e4):
        assert updates.radam(State(), g, lr=1.0)[0] == pytest.approx(-g)


def test_the_rectification_rises_to_one():
    r = [updates.rectification(t) for t in range(6, 20_000)]
    assert 0 < r[0] < 0.03 and np.all(np.diff(r) >= 0) and r[-1] == pytest.approx(1, abs=1e-4)
    assert all(updates.rectification(t, 0.5) is None for t in range(1, 100))  # too short a memory to be trusted


@settings(deadline=None, max_examples=25)
@given(alpha=st.floats(0, 0.9999), seed=st.integers(0, 10**6))
def test_no_step_of_rmsprop_exceeds_its_first(alpha, seed):
    grads = gradients(seed)
    steps = steps_of_ours(updates.rmsprop, grads, lr=1.0, alpha=alpha, eps=0.0).nan_to_num()
    assert steps.abs().max() <= (1 - alpha) ** -0.5 * (1 + 1e-12)
    assert steps[0, 0].abs() == pytest.approx((1 - alpha) ** -0.5)


@pytest.mark.parametrize("name", PAIRS)
def test_steps_under_a_constant_gradient(name):
    update, _, fixed = PAIRS[name]
    last = steps_of_ours(update, [3.0] * 20_000, lr=1.0, **fixed)[-1]
    expected = {"gradient descent": 3, "momentum": 30, "Nesterov": 30}.get(name, 1)
    assert -last.item() == pytest.approx(expected, rel=1e-3)


def test_the_steps_of_adam_are_the_series():
    grads = gradients(3)[:, 0]
    assert np.allclose(steps_of_ours(updates.adam, grads).numpy(), theory.step_series(grads.numpy()), rtol=1e-12)


def test_the_defaults_are_taken():
    x, grads = [torch.zeros(1)], gradients(5, steps=3)
    defaults = {updates.sgd: {"lr": 1e-3, "momentum": 0.9, "nesterov": False}}
    for name in ("RMSprop", *ADAPTIVE):
        update, make, _ = PAIRS[name]
        torchs = make(x).defaults
        defaults[update] = {key: torchs[key] for key in signature(update).parameters if key in torchs}
    for update, given_ in defaults.items():
        assert torch.equal(steps_of_ours(update, grads), steps_of_ours(update, grads, **given_))
    assert updates.nadam_momentum(3) == updates.nadam_momentum(3, 0.9, 4e-3)
