"""One registry: one name, one factory for each optimizer, and everything that names them agrees."""

import math
import re
from pathlib import Path

import pytest
import torch

import hilladam.widgets
from hilladam import CoolMomentum, HillAdam, Langevin, SimulatedAnnealing
from hilladam.experiments import (
    CONTENDERS,
    COURSES,
    DIGITS_CONTENDERS,
    DIGITS_LR,
    PAPER_TABLE_1,
    PAPER_TABLE_2,
    RACE_CONTENDERS,
    SEARCHERS,
    TABLE_2_CONTENDERS,
    Points,
    RestartedAdam,
    stored_race,
    stored_readings,
    stored_table2,
    train,
)
from hilladam.losses import DOUBLE_WELL
from hilladam.optim import ReferenceHillAdam
from hilladam.widgets import HillExplorer

WIDGETS = Path(hilladam.widgets.__file__).parent


def keys_of_dynamics():
    source = (WIDGETS / "dynamics.js").read_text(encoding="utf-8")
    body = source[source.index("export const OPTIMIZERS = {") :]
    return re.findall(r'^  "?([\w-]+)"?[:(]', body[: body.index("\n};")], re.M)


NAMED = {
    "race": RACE_CONTENDERS,
    "Table 2": TABLE_2_CONTENDERS,
    "digits": DIGITS_CONTENDERS,
    "learning rates of the digits": DIGITS_LR,
    "stored race": [name for _, name in stored_race() if name not in SEARCHERS],
    "stored Table 2": stored_table2()["optimizer"],
    "stored readings": stored_readings()["optimizer"],
    "the paper's Table 1": [name for means in PAPER_TABLE_1.values() for name in means],
    "the paper's Table 2": PAPER_TABLE_2,
    "explorer": HillExplorer.class_traits()["optimizers"]._trait.values,
    "explorer, in JavaScript": keys_of_dynamics(),
    "explorer, in CSS": re.findall(r'data-optimizer="([^"]*)"', (WIDGETS / "explorer.css").read_text(encoding="utf-8")),
}


@pytest.mark.parametrize("place", NAMED)
def test_everywhere_an_optimizer_has_the_name_that_the_registry_gives_it(place):
    names = set(NAMED[place])
    assert names and names <= set(CONTENDERS)


def test_what_is_stored_is_of_everything_that_takes_part():
    assert list(stored_race()) == [(key, name) for key in COURSES for name in (*RACE_CONTENDERS, *SEARCHERS)]
    assert list(stored_table2()["optimizer"].unique()) == list(TABLE_2_CONTENDERS)
    assert set(DIGITS_LR) == set(DIGITS_CONTENDERS)


def test_every_contender_knows_its_name_and_cannot_be_changed():
    for name, contender in CONTENDERS.items():
        assert contender.name == name
        with pytest.raises(AttributeError):
            contender.name = "another"


# Making them ---------------------------------------------------------------------------------------------------------

BETAS = (0.8, 0.99)
PLAIN = {
    "SGD": lambda p: torch.optim.SGD(p, 0.02),
    "momentum": lambda p: torch.optim.SGD(p, 0.02, momentum=0.8),
    "Nesterov": lambda p: torch.optim.SGD(p, 0.02, momentum=0.8, nesterov=True),
    "RMSprop": lambda p: torch.optim.RMSprop(p, 0.02, alpha=0.99),
    "Adam": lambda p: torch.optim.Adam(p, 0.02, betas=BETAS),
    "AMSGrad": lambda p: torch.optim.Adam(p, 0.02, betas=BETAS, amsgrad=True),
    "NAdam": lambda p: torch.optim.NAdam(p, 0.02, betas=BETAS),
    "RAdam": lambda p: torch.optim.RAdam(p, 0.02, betas=BETAS),
    "CoolMomentum": lambda p: CoolMomentum(p, 0.02, 0.8, cooling_steps=30),
    "Langevin": lambda p: Langevin(p, 0.02, 0.8, temperature=lambda t: 0.3 * max(1 - t / 30, 0), generator=dice()),
    "Hill-ADAM": lambda p: HillAdam(p, 0.02, BETAS, delta=0.01, gamma=5.0),
}


def dice():
    return torch.Generator().manual_seed(3)


def told():
    return dict(betas=BETAS, delta=0.01, gamma=5.0, steps=30, temperature=0.3, generator=dice(),
                draw=lambda k: torch.full((len(k),), 0.5, dtype=torch.float64))  # fmt: skip


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("name", PLAIN)
def test_a_contender_is_the_optimizer_that_a_reader_would_write(name, fused):
    ours, theirs = (Points(torch.tensor([1.4], dtype=torch.float64)) for _ in range(2))
    optimizer = CONTENDERS[name](ours.parameters, 0.02, fused=fused, **told())
    found = train(ours, DOUBLE_WELL, optimizer, 40)
    expected = train(theirs, DOUBLE_WELL, PLAIN[name](theirs.parameters), 40)
    assert type(optimizer) is type(PLAIN[name](theirs.parameters))
    assert abs(found.states - expected.states).max() < 1e-9


def test_what_no_plain_optimizer_shows_reaches_its_contender():
    weights = [torch.zeros(3, dtype=torch.float64)]
    annealing = CONTENDERS["simulated annealing"](weights, 0.1, **told()).param_groups[0]
    assert annealing["temperature"] == 0.3 and annealing["alpha"] ** 30 == pytest.approx(1e-3)
    assert CONTENDERS["Adam, restarted"](weights, 0.1, **told()).trigger == 0.01
    for name in ("SGD", "momentum", "Nesterov", "Adam"):
        for fused in (True, False):
            assert bool(CONTENDERS[name](weights, 0.1, fused=fused).defaults["fused"]) == fused
    hill = CONTENDERS["Hill-ADAM"](weights, 0.1).defaults
    assert (hill["delta"], hill["gamma"]) == (1e-4, math.inf)


def test_without_betas_each_takes_its_own_defaults():
    made = {name: contender([torch.zeros(1)], 0.1, **told() | {"betas": None}) for name, contender in CONTENDERS.items()
            if name != "Adam, restarted"}  # fmt: skip
    assert made["Adam"].defaults["betas"] == made["NAdam"].defaults["betas"] == (0.9, 0.999)
    assert made["momentum"].defaults["momentum"] == made["Nesterov"].defaults["momentum"] == 0.9
    assert made["RMSprop"].defaults["alpha"] == 0.99 and made["CoolMomentum"].defaults["momentum"] == 0.99
    assert isinstance(made["simulated annealing"], SimulatedAnnealing)


def test_of_many_members_each_runs_as_it_would_alone():
    starts = torch.tensor([1.4, 0.9, -0.5], dtype=torch.float64)
    for name in PLAIN:
        if name == "Langevin":
            continue  # its noise is one stream
        contender = CONTENDERS[name]
        rows, each = Points(starts), Points(starts, split=True)
        together = train(rows, DOUBLE_WELL, contender.for_rows(rows.parameters, 0.02, **told()), 40)
        apart = train(each, DOUBLE_WELL, contender.for_each(each.parameters, 0.02, **told()), 40)
        for member, start in enumerate(starts):
            point = Points(start.view(1))
            alone = train(point, DOUBLE_WELL, contender(point.parameters, 0.02, **told()), 40)
            for record in (together, apart):
                assert abs(record.states[:, member] - alone.states[:, 0]).max() < 1e-9, name
    assert isinstance(CONTENDERS["Hill-ADAM"].for_rows(rows.parameters, 0.02), ReferenceHillAdam)
    assert isinstance(CONTENDERS["Adam, restarted"].for_rows(rows.parameters, 0.02, **told()), RestartedAdam)


@pytest.mark.parametrize("lr", [-0.1, math.nan, math.inf])
@pytest.mark.parametrize("name", CONTENDERS)
def test_a_rate_that_is_no_rate_is_refused_by_all(name, lr):
    """``torch.optim.SGD`` takes NaN and infinity without a word."""
    for make in (CONTENDERS[name], CONTENDERS[name].for_rows, CONTENDERS[name].for_each):
        with pytest.raises(ValueError, match=rf"Invalid lr: {lr}; expected a finite number >= 0"):
            make([torch.zeros(2)], lr, **told())


@pytest.mark.parametrize(
    "name, missing",
    [("CoolMomentum", "steps"), ("Langevin", "temperature"), ("simulated annealing", "steps"),
     ("Adam, restarted", "draw")],
)  # fmt: skip
def test_what_a_contender_cannot_do_without_is_named(name, missing):
    with pytest.raises(ValueError, match=f"Invalid {missing}: none; {name} needs it"):
        CONTENDERS[name]([torch.zeros(2)], 0.1, **told() | {missing: None})


def test_a_setting_that_nobody_knows_is_refused():
    with pytest.raises(TypeError, match="momemtum"):
        CONTENDERS["SGD"]([torch.zeros(2)], 0.1, momemtum=0.9)


def test_rmsprop_takes_beta2_for_its_alpha():
    assert CONTENDERS["RMSprop"]([torch.zeros(1)], 0.1, betas=(0.5, 0.8)).defaults["alpha"] == 0.8
