"""Under torch.compile every optimizer of the package takes the steps that it takes without."""

from itertools import product

import pytest
import torch
from torch import nn

from hilladam import AdaptiveHillAdam, CoolMomentum, HillAdam, Langevin, SimulatedAnnealing

STEPS = 200

pytestmark = [
    pytest.mark.own_rounding,
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf"),
]
MAKERS = {
    "for-loop": lambda params: HillAdam(params, lr=0.05, delta=1e-3, foreach=False),
    "foreach": lambda params: HillAdam(params, lr=0.05, delta=1e-3, foreach=True),
    "fused": lambda params: HillAdam(params, lr=0.05, delta=1e-3, fused=True),
    "on the device": lambda params: HillAdam(params, lr=0.05, delta=1e-3, capturable=True, track_best="turn"),
    "adaptive": lambda params: AdaptiveHillAdam(params),
    "CoolMomentum": lambda params: CoolMomentum(params, lr=0.01, cooling_steps=STEPS),
    "Langevin": lambda params: Langevin(params, lr=0.01, temperature=0.0),
}


@pytest.fixture(autouse=True)
def fresh():
    torch.compiler.reset()
    yield
    torch.compiler.set_stance("default")
    torch.compiler.reset()


def parts(make):
    """An optimizer, what computes its loss with gradients, and the parameters."""
    generator = torch.Generator().manual_seed(1)
    weight = nn.Parameter(torch.randn(3, generator=generator, dtype=torch.float64))
    bias = nn.Parameter(torch.zeros((), dtype=torch.float64))
    optimizer = make([weight, bias])
    inputs = torch.randn(20, 3, generator=generator, dtype=torch.float64)

    def closure():
        optimizer.zero_grad()
        loss = ((inputs @ weight + bias - torch.sin(3 * inputs.sum(1))) ** 2).mean()
        loss.backward()
        return loss

    return optimizer, closure, [weight, bias]


def whole(optimizer, closure, kind):
    """One step of a training loop, handing over the loss in one of three ways."""
    if kind == "closure":
        return lambda: optimizer.step(closure)

    def step():
        loss = closure()
        if kind == "handed":
            optimizer.hand_over(loss)
            optimizer.step()
        else:
            optimizer.step(loss=loss.item() if kind == "number" else loss.detach())

    return step


@pytest.mark.parametrize(
    "name, kind",
    [*product(["for-loop", "foreach", "fused"], ["number", "tensor", "closure"]),
     ("on the device", "tensor"), ("on the device", "closure"),
     ("adaptive", "closure"), ("CoolMomentum", "number"), ("Langevin", "tensor"), ("foreach", "handed")],
)  # fmt: skip
def test_a_compiled_loop_takes_the_same_steps(name, kind):
    make, runs = MAKERS[name], []
    for compiled in (False, True):
        optimizer, closure, params = parts(make)
        step = whole(optimizer, closure, kind)
        step = torch.compile(step, backend="eager") if compiled else step
        for count in range(STEPS):
            if count == 3 and compiled:
                torch.compiler.set_stance("fail_on_recompile")  # a turn compiles nothing anew
            step()
        torch.compiler.set_stance("default")
        turns = getattr(optimizer, "switches", [])
        end = torch.cat([param.detach().flatten() for param in params])
        runs.append((end, turns, optimizer.best_loss, optimizer.load_best()))
    (end, turns, *best), (compiled_end, compiled_turns, *compiled_best) = runs
    assert torch.equal(end, compiled_end) and turns == compiled_turns and best == compiled_best
    assert turns or name in ("CoolMomentum", "Langevin")


@pytest.mark.parametrize("name", ["foreach", "adaptive"])
def test_a_compiled_step_takes_the_same_steps(name):
    make, ends = MAKERS[name], []
    for compiled in (False, True):
        optimizer, closure, params = parts(make)

        def step(loss, optimizer=optimizer):
            return optimizer.step(loss=loss)

        step = torch.compile(step, backend="eager") if compiled else step
        for _ in range(30):
            step(closure().detach())
        ends.append(torch.cat([param.detach().flatten() for param in params]))
    assert torch.equal(*ends)


def test_annealing_compiled_draws_what_it_draws_without():
    ends = []
    for compiled in (False, True):
        x = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
        generator = torch.Generator().manual_seed(0)
        optimizer = SimulatedAnnealing([x], lr=0.3, temperature=1.0, generator=generator)

        def step(optimizer=optimizer, x=x):
            return optimizer.step(lambda: (x**4 - 2 * x**2 + 0.3 * x).sum())

        step = torch.compile(step, backend="eager") if compiled else step
        ends.append([step().item() for _ in range(50)])
    assert ends[0] == ends[1]


def test_the_gradients_may_be_compiled_too():
    """Then the arithmetic of the loss may differ in its last bits, so few steps are compared."""
    ends = []
    for compiled in (False, True):
        optimizer, closure, params = parts(MAKERS["foreach"])
        step = whole(optimizer, closure, "closure")
        step = torch.compile(step, backend="aot_eager") if compiled else step
        for _ in range(10):
            step()
        ends.append(torch.cat([param.detach().flatten() for param in params]))
    assert torch.allclose(*ends, rtol=0, atol=1e-12)
