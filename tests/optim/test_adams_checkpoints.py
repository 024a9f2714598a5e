"""HillAdam takes the checkpoints of Adam, and Adam those of HillAdam."""

import copy

import pytest
import torch
from torch import nn

from hilladam import HillAdam


@pytest.mark.parametrize("settings", [{}, {"maximize": True}, {"amsgrad": True}, {"weight_decay": 0.1}], ids=str)
def test_a_state_dict_of_plain_adam_goes_on_as_adam(settings, path):
    torch.manual_seed(0)
    theirs, ours = nn.Parameter(torch.randn(5)), nn.Parameter(torch.zeros(5))
    adam = torch.optim.Adam([theirs], 0.1, **settings, **path)
    hill = HillAdam([ours], 0.5, delta=0.0, **path)
    for step in range(20):
        if step == 10:
            ours.data.copy_(theirs.data)
            hill.load_state_dict(copy.deepcopy(adam.state_dict()))
        theirs.grad = torch.randn(5) / (1 + step)
        ours.grad = theirs.grad.clone()
        adam.step()
        if step >= 10:
            hill.step(loss=1.0)
            assert torch.equal(ours, theirs)
    assert hill.direction == ("maximize" if settings.get("maximize") else "minimize")
    assert hill.load_best() == 1.0


@pytest.mark.parametrize("settings", [{"maximize": True}, {"amsgrad": True}], ids=str)
def test_after_a_state_dict_of_plain_adam_a_switch_starts_afresh(settings):
    x = nn.Parameter(torch.zeros(1))
    adam, hill = torch.optim.Adam([x], 0.1, **settings), HillAdam([x], 0.1)
    x.grad = torch.full_like(x, 100.0)
    adam.step()
    hill.load_state_dict(adam.state_dict())
    x.grad = torch.ones_like(x)
    hill.step(loss=1.0)
    before = x.item()
    hill.step(loss=1.0)
    assert [switch.direction for switch in hill.switches] == [hill.direction]
    assert x.item() - before == pytest.approx(0.1 if hill.direction == "maximize" else -0.1)


def test_plain_adam_takes_a_state_dict_of_hill_adam():
    ours, theirs = (nn.Parameter(torch.ones(5)) for _ in range(2))
    hill, adam = HillAdam([ours], 0.1), torch.optim.Adam([theirs])
    torch.manual_seed(0)
    for step in range(6):
        ours.grad = torch.randn(5)
        if step == 5:
            theirs.data.copy_(ours.data)
            theirs.grad = ours.grad.clone()
            adam.load_state_dict(copy.deepcopy(hill.state_dict()))
            adam.step()
        hill.step(loss=5.0 - step)
    assert torch.equal(ours, theirs)


def saved_with(**settings):
    saved = HillAdam([nn.Parameter(torch.zeros(2))]).state_dict()
    saved["param_groups"][0].update(settings)
    return saved


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"fused": True, "foreach": True}, "Invalid fused value: True; expected False or None where foreach is True"),
        ({"lr": torch.tensor(0.1), "foreach": True}, "Invalid learning rate: a tensor; expected a float where foreach"),
    ],
    ids=str,
)
def test_what_adam_cannot_do_together_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        HillAdam([nn.Parameter(torch.zeros(2))]).load_state_dict(saved_with(**settings))


@pytest.mark.parametrize(
    "settings",
    [
        {"fused": False, "foreach": True}, {"fused": True, "foreach": False}, {"fused": None, "foreach": True},
        {"lr": torch.tensor(0.1), "foreach": False}, {"lr": torch.tensor(0.1), "foreach": None},
    ],
    ids=str,
)  # fmt: skip
def test_what_adam_can_do_together_is_loaded(settings):
    x = nn.Parameter(torch.zeros(2))
    hill = HillAdam([x])
    hill.load_state_dict(saved_with(**settings))
    assert {key: hill.param_groups[0][key] for key in settings} == settings
    x.grad = torch.ones(2)
    hill.step(loss=1.0)
    assert torch.allclose(x, -torch.as_tensor(settings.get("lr", 1e-3)).expand(2))


def test_betas_that_were_gathered_into_a_list_are_a_tuple_again():
    hill = HillAdam([nn.Parameter(torch.zeros(2))])
    hill.load_state_dict(saved_with(betas=[0.5, 0.6]))
    assert hill.param_groups[0]["betas"] == (0.5, 0.6)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"betas": None}, r"Invalid betas: None; expected two numbers in \[0, 1\)$"),
        ({"betas": (0.9, 0.99, 0.5)}, r"Invalid betas: \(0.9, 0.99, 0.5\); expected two numbers in \[0, 1\)$"),
        ({"foreach": "yes"}, "Invalid foreach value: 'yes'; expected True, False or None$"),
        ({"fused": 1}, "Invalid fused value: 1; expected True, False or None$"),
        ({"amsgrad": "yes"}, "Invalid amsgrad value: 'yes'; expected True or False$"),
        ({"eps": torch.tensor(1e-8)}, "Invalid epsilon value: tensor"),
    ],
    ids=str,
)
def test_what_a_setting_of_a_state_dict_cannot_be(settings, message):
    with pytest.raises(ValueError, match=message):
        HillAdam([nn.Parameter(torch.zeros(2))]).load_state_dict(saved_with(**settings))


def test_a_state_of_amsgrad_that_lacks_its_maximum_is_refused():
    x = nn.Parameter(torch.zeros(1))
    adam = torch.optim.Adam([x], amsgrad=True)
    x.grad = torch.ones(1)
    adam.step()
    saved = adam.state_dict()
    del saved["state"][0]["max_exp_avg_sq"]
    with pytest.raises(ValueError, match=r"expected .*max_exp_avg_sq"):
        HillAdam([x]).load_state_dict(saved)


@pytest.mark.parametrize("track_best", [True, "turn", False])
@pytest.mark.parametrize("path", [{"foreach": False}, {"foreach": True}, {"fused": True}, {}], ids=str)
def test_groups_with_and_without_amsgrad_and_gradients_that_come_and_go_are_adams(path, track_best):
    torch.manual_seed(0)
    ours = [torch.nn.Parameter(torch.randn(3)) for _ in range(4)]
    adams = [torch.nn.Parameter(each.detach().clone()) for each in ours]
    mine, adam = (
        optimizer([{"params": params[:2], "amsgrad": True}, {"params": params[2:]}], **path, **options)
        for optimizer, params, options in [
            (HillAdam, ours, dict(delta=0.0, track_best=track_best)),
            (torch.optim.Adam, adams, {}),
        ]
    )
    for t in range(12):
        for i, pair in enumerate(zip(ours, adams, strict=True)):
            grad = None if (t + i) % 5 == 3 else torch.randn(3)
            for param in pair:
                param.grad = grad if grad is None else grad.clone()
        mine.step(loss=-float(t))
        adam.step()
    for param, of_adam in zip(ours, adams, strict=True):
        assert torch.equal(param, of_adam)
        for name, value in adam.state[of_adam].items():
            assert torch.equal(mine.state[param][name], value)
