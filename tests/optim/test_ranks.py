"""Two processes: one decision for all ranks, shards that run as one model runs, and checkpoints that cross over."""

import os
import subprocess
import sys
import warnings
from functools import partial
from unittest import mock

import pytest
import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from hilladam import AdaptiveHillAdam, CoolMomentum, HillAdam, Langevin, OverTheHill, SimulatedAnnealing
from hilladam.optim._ranks import agreed, anywhere

STEPS = 50
MAKERS = {
    "for-loop": partial(HillAdam, lr=0.05, delta=1e-3, foreach=False),
    "foreach": partial(HillAdam, lr=0.05, delta=1e-3, foreach=True),
    "fused": partial(HillAdam, lr=0.05, delta=1e-3, fused=True),
    "on the device": partial(HillAdam, lr=0.05, delta=1e-3, capturable=True),
    "on the device, fused": partial(HillAdam, lr=0.05, delta=1e-3, capturable=True, fused=True),
    "adaptive": AdaptiveHillAdam,
    "CoolMomentum": partial(CoolMomentum, lr=0.01, cooling_steps=STEPS),
    "Langevin": partial(Langevin, lr=0.01, temperature=0.0),
}
WHOLE = StateDictOptions(full_state_dict=True)
WAYS = {
    "in shards": (StateDictOptions(), StateDictOptions()),
    "flat": (StateDictOptions(flatten_optimizer_state_dict=True),) * 2,
    "whole": (WHOLE, WHOLE),
    "from rank 0": (WHOLE, StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)),
}


def model():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()


def sharded():
    net, mesh = model(), init_device_mesh("cpu", (2,))
    for layer in (net[0], net[2]):
        fully_shard(layer, mesh=mesh)
    return fully_shard(net, mesh=mesh)


def loss_of(net, part=slice(None)):
    inputs = torch.randn(20, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return ((net(inputs) - torch.sin(inputs.sum(1, keepdim=True))) ** 2)[part].mean()


def train(net, optimizer, steps, part=slice(None)):
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of(net, part)
        loss.backward()
        optimizer.step(loss=loss.detach())


def flat(net):
    return torch.cat([getattr(p, "full_tensor", lambda p=p: p)().detach().flatten() for p in net.parameters()])


def turns(optimizer):
    return getattr(optimizer, "switches", [])


def spread(net):
    return spread_of(flat(net))


def spread_of(own):
    own = own.detach()
    everyone = [torch.empty_like(own) for _ in range(2)]
    dist.all_gather(everyone, own)
    return (everyone[0] - everyone[1]).abs().max().item()


def shards_run_as_one_model_does(tmp):
    for make in MAKERS.values():
        runs = []
        for net in (model(), sharded()):
            optimizer = make(net.parameters())
            train(net, optimizer, STEPS)
            end, best = flat(net), optimizer.load_best()
            runs.append((end, turns(optimizer), best, flat(net), getattr(optimizer, "temperature", 0.0)))
        (end, switches, best, place, heat), (end2, switches2, best2, place2, heat2) = runs
        assert switches == switches2 and best == pytest.approx(best2, rel=1e-12)
        assert torch.allclose(end, end2, rtol=0, atol=1e-12) and torch.allclose(place, place2, rtol=0, atol=1e-12)
        assert heat == pytest.approx(heat2, rel=1e-12)


def ranks_with_losses_of_their_own_stay_together(tmp):
    """Each rank sees half of the data, and both decide by the mean of their losses."""
    for make in [*MAKERS.values(), OverTheHill]:
        net = model()
        optimizer = make(net.parameters())
        train(DistributedDataParallel(net), optimizer, 100, slice(dist.get_rank(), None, 2))
        alone = model()
        other = make(alone.parameters(), process_group=False)
        train(alone, other, 100)
        assert spread(net) == 0.0 and len(turns(optimizer)) == len(turns(other))
        assert optimizer.load_best() == pytest.approx(other.load_best(), rel=1e-9) and spread(net) == 0.0


def each_rank_decides_for_itself_where_it_is_told_to(tmp):
    net = model()
    optimizer = HillAdam(net.parameters(), lr=0.05, delta=1e-3, process_group=False)
    train(net, optimizer, 100, slice(dist.get_rank(), None, 2))
    assert spread(net) > 0.01
    assert optimizer.load_best() == pytest.approx(loss_of(net, slice(dist.get_rank(), None, 2)).item(), rel=1e-12)


def a_rank_without_a_loss_takes_that_of_the_others(tmp):
    x = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    optimizer = HillAdam([x])
    for loss in (3.0, 1.0, 2.0):
        x.grad = torch.ones_like(x)
        optimizer.step(loss=loss) if dist.get_rank() == 0 else optimizer.step()
    assert optimizer.best_loss == 1.0 and optimizer.param_groups[0]["losses"] == 3
    x.grad = torch.ones_like(x)
    optimizer.step()  # nobody has one
    assert optimizer.param_groups[0]["losses"] == 3


def a_rank_waits_only_where_it_has_no_loss(tmp):
    x = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    optimizer = HillAdam([x], fused=True, capturable=True)
    x.grad = torch.ones_like(x)
    losses = [3.0, 1.0, 1.0, 4.0]
    for loss in losses:
        with mock.patch.multiple(torch.Tensor, item=None, tolist=None, __float__=None, __bool__=None):
            optimizer.step(loss=torch.tensor(loss + dist.get_rank()))
    assert optimizer.best_loss == 1.5  # the mean of 1 and 2
    optimizer.step(loss=torch.tensor(0.25)) if dist.get_rank() else optimizer.step()
    assert optimizer.best_loss == 0.25 and optimizer.param_groups[0]["losses"] == 5 and spread_of(x) == 0.0
    assert [switch.step for switch in optimizer.switches] == [2]


def a_gradient_that_is_not_finite_on_one_rank_stops_all(tmp):
    for capturable in (False, True):
        x = nn.Parameter(torch.tensor([2.0]))
        optimizer = HillAdam([x], lr=0.1, fused=True, capturable=capturable)
        scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
        for step in range(4):
            x.grad = torch.full_like(x, torch.inf if step == 1 and dist.get_rank() == 0 else 4.0)
            loss = torch.tensor(3.0 - step)
            scaler.scale(loss)
            scaler.step(optimizer, loss=loss)
            scaler.update(4.0)
        assert spread_of(x) == 0.0 and optimizer.best_loss == 0.0 and optimizer.param_groups[0]["losses"] == 3


def losses_of_members_are_averaged_member_by_member(tmp):
    x = nn.Parameter(torch.zeros(3, dtype=torch.float64))
    optimizer = Langevin([x], lr=0.1, temperature=0.0)
    x.grad = torch.ones_like(x)
    losses = torch.tensor([1.0, 2.0, 3.0]) + 2 * dist.get_rank()
    optimizer.step(loss=losses)
    assert optimizer.best_loss.tolist() == [2.0, 3.0, 4.0] and optimizer.best_loss.dtype == losses.dtype
    for dtype in (torch.float64, torch.float16):  # the first is that of the sum, the second cannot hold it
        optimizer = Langevin([x], lr=0.1, temperature=0.0)
        losses = torch.tensor([1.0, 2.0, 40000.0], dtype=dtype)
        optimizer.step(loss=losses)
        assert optimizer.best_loss.tolist() == losses.tolist() == [1.0, 2.0, 40000.0]


def a_group_of_ranks_asks_nobody_else(tmp):
    own = [dist.new_group([number]) for number in range(2)][dist.get_rank()]  # all ranks make all groups
    mine = 3.0 + dist.get_rank()
    for make in (*MAKERS.values(), OverTheHill, partial(SimulatedAnnealing, lr=0.1, temperature=1.0)):
        x = nn.Parameter(torch.zeros(2))
        x.grad = torch.ones_like(x)
        optimizer = make([x], process_group=own)
        optimizer.step(lambda: torch.tensor(mine))
        assert optimizer.best_loss == mine
    optimizer = HillAdam([x], fused=True, process_group=own)
    optimizer.found_inf = torch.tensor(1.0 - dist.get_rank())  # as a gradient scaler does
    optimizer.step(loss=mine)
    assert optimizer.best_loss == (mine if dist.get_rank() else torch.inf)


def losses_and_flags_are_gathered_in_the_group_that_is_given(tmp):
    group, device = dist.new_group([0, 1]), lambda: torch.device("cpu")
    with (
        mock.patch.object(dist, "all_reduce", wraps=dist.all_reduce) as reduced,
        mock.patch.object(dist, "get_world_size", wraps=dist.get_world_size) as counted,
    ):
        for loss in (3.0, torch.tensor(3.0), torch.tensor([3.0, 4.0])):
            assert torch.equal(torch.as_tensor(agreed(loss, group, device)), torch.as_tensor(loss))
        assert anywhere(torch.tensor(float(dist.get_rank())), group) > 0
    assert [call.kwargs.get("group") for call in reduced.call_args_list] == [group] * 4
    assert {call.args for call in counted.call_args_list} == {(group,)}


def annealing_accepts_on_all_ranks_or_on_none(tmp):
    net = model()
    generator = torch.Generator().manual_seed(0)
    optimizer = SimulatedAnnealing(net.parameters(), lr=0.05, temperature=0.1, generator=generator)
    for _ in range(60):
        optimizer.step(lambda: loss_of(net, slice(dist.get_rank(), None, 2)).detach())
    assert spread(net) == 0.0 and 0 < optimizer.acceptance_rate < 1
    assert optimizer.load_best() == pytest.approx(loss_of(net).item(), rel=1e-12)
    optimizer = SimulatedAnnealing(net.parameters(), lr=0.05, temperature=0.1)
    optimizer.step(lambda: torch.tensor(3 + dist.get_rank()))
    assert optimizer.best_loss == 3.5  # a mean of integers need be none


def a_walk_refuses_shards(tmp):
    with pytest.raises(ValueError, match="Invalid parameter: a shard; expected whole tensors"):
        OverTheHill(sharded().parameters())


def a_gradient_that_is_spread_otherwise_moves_the_shard_all_the_same(tmp):
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor

    mesh, start = init_device_mesh("cpu", (2,)), torch.tensor([2.0, -1.0, 3.0, 5.0])
    x, y = nn.Parameter(distribute_tensor(start, mesh, [Shard(0)])), nn.Parameter(start.clone())
    optimizer, other = HillAdam([x], lr=0.1, capturable=True), HillAdam([y], lr=0.1)
    for loss in (3.0, 3.0, 4.0):
        x.grad, y.grad = distribute_tensor(start, mesh, [Replicate()]), start.clone()
        optimizer.step(loss=torch.tensor(loss))
        other.step(loss=loss)
    assert torch.allclose(x.full_tensor(), y) and optimizer.switches == other.switches


def a_finish_averages_shards(tmp):
    places = []
    for net in (model(), sharded()):
        optimizer = AdaptiveHillAdam(net.parameters())
        train(net, optimizer, 20)

        def closure(net=net, optimizer=optimizer):
            optimizer.zero_grad()
            loss = loss_of(net)
            loss.backward()
            return loss

        places.append((optimizer.finish(closure, 10), flat(net)))
    (value, place), (shards_value, shards_place) = places
    assert value == pytest.approx(shards_value, rel=1e-12) and torch.allclose(place, shards_place, rtol=0, atol=1e-12)


def a_loss_in_parts_counts_whole(tmp):
    from torch.distributed.tensor import DTensor, Partial

    x = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = HillAdam([x])
    x.grad = torch.ones_like(x)
    part = torch.tensor(1.0 + dist.get_rank(), dtype=torch.float64)
    loss = DTensor.from_local(part, init_device_mesh("cpu", (2,)), [Partial()])
    optimizer.step(loss=loss)
    assert optimizer.best_loss == 3.0
    optimizer = AdaptiveHillAdam([x])
    optimizer.step(loss=loss)
    assert optimizer.finish(lambda: loss, 2) == 3.0


def a_saved_run_goes_on_in_shards(tmp):
    for name in ("foreach", "on the device", "adaptive", "Langevin"):
        make, net = MAKERS[name], model()
        optimizer = make(net.parameters())
        train(net, optimizer, STEPS + 20)
        unbroken, switches = flat(net), turns(optimizer)
        optimizer.load_best()
        best = flat(net)
        for getting, setting in WAYS.values() if name == "foreach" else (WAYS["in shards"], WAYS["from rank 0"]):
            net = sharded()
            optimizer = make(net.parameters())
            train(net, optimizer, STEPS)
            saved, weights = get_optimizer_state_dict(net, optimizer, options=getting), get_model_state_dict(
                net, options=getting)  # fmt: skip
            if setting.broadcast_from_rank0 and dist.get_rank():
                saved, weights = {}, {}
            net = sharded()
            optimizer = make(net.parameters())
            set_model_state_dict(net, weights, options=setting)
            set_optimizer_state_dict(net, optimizer, saved, options=setting)
            train(net, optimizer, 20)
            assert torch.allclose(flat(net), unbroken, rtol=0, atol=1e-12) and turns(optimizer) == switches
            optimizer.load_best()
            assert torch.allclose(flat(net), best, rtol=0, atol=1e-12)


def a_distributed_checkpoint_crosses_from_one_model_to_shards_and_back(tmp):
    for name in ("foreach", "adaptive"):
        make, net = MAKERS[name], model()
        optimizer = make(net.parameters())
        train(net, optimizer, 3 * STEPS)
        unbroken, switches = flat(net), turns(optimizer)
        net = model()
        optimizer = make(net.parameters())
        train(net, optimizer, STEPS)
        for number, following in enumerate((sharded, model)):
            place = os.path.join(tmp, f"{name}-{number}")
            dcp.save({"net": get_model_state_dict(net), "optimizer": get_optimizer_state_dict(net, optimizer)},
                     checkpoint_id=place)  # fmt: skip
            net = following()
            optimizer = make(net.parameters())
            state = {"net": get_model_state_dict(net), "optimizer": get_optimizer_state_dict(net, optimizer)}
            dcp.load(state, checkpoint_id=place)
            set_model_state_dict(net, state["net"])
            set_optimizer_state_dict(net, optimizer, state["optimizer"])
            train(net, optimizer, STEPS)
        assert torch.allclose(flat(net), unbroken, rtol=0, atol=1e-12) and turns(optimizer) == switches


def an_optimizer_whose_state_is_dealt_out_keeps_its_best(tmp):
    from torch.distributed.optim import ZeroRedundancyOptimizer  # which warns where it is imported

    net = model()
    optimizer = ZeroRedundancyOptimizer(net.parameters(), HillAdam, lr=0.05, delta=1e-3)
    alone = model()
    other = HillAdam(alone.parameters(), lr=0.05, delta=1e-3, process_group=False)
    train(alone, other, STEPS)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(net)
        loss.backward()
        optimizer.step(loss=loss.detach())
    assert torch.allclose(flat(net), flat(alone), rtol=0, atol=1e-12)
    assert optimizer.optim.load_best() == other.load_best()


CHECKS = [
    shards_run_as_one_model_does,
    ranks_with_losses_of_their_own_stay_together,
    each_rank_decides_for_itself_where_it_is_told_to,
    a_rank_without_a_loss_takes_that_of_the_others,
    a_rank_waits_only_where_it_has_no_loss,
    a_gradient_that_is_not_finite_on_one_rank_stops_all,
    losses_of_members_are_averaged_member_by_member,
    a_group_of_ranks_asks_nobody_else,
    losses_and_flags_are_gathered_in_the_group_that_is_given,
    annealing_accepts_on_all_ranks_or_on_none,
    a_walk_refuses_shards,
    a_gradient_that_is_spread_otherwise_moves_the_shard_all_the_same,
    a_finish_averages_shards,
    a_loss_in_parts_counts_whole,
    a_saved_run_goes_on_in_shards,
    a_distributed_checkpoint_crosses_from_one_model_to_shards_and_back,
    an_optimizer_whose_state_is_dealt_out_keeps_its_best,
]


def rank(meeting, tmp, number):
    """What each of the two processes does: every check, and a note of those that failed."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=number, world_size=2)
    for check in CHECKS:
        note = "passed"
        try:
            check(tmp)
        except Exception as error:  # the other rank goes on
            note = f"{type(error).__name__}: {error}"
        with open(os.path.join(tmp, f"{check.__name__}.{number}"), "w", encoding="utf-8") as file:
            file.write(note)
        dist.barrier()
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    """What the two processes say of each check; they run once for all tests."""
    tmp = tmp_path_factory.mktemp("ranks")
    command = [sys.executable, __file__, str(tmp / "meeting"), str(tmp)]
    processes = [subprocess.Popen([*command, str(number)]) for number in range(2)]
    try:
        for process in processes:
            process.wait(timeout=300)
    finally:
        for process in processes:
            process.kill()
    return tmp


@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
def test_on_two_ranks(notes, check):
    for number in range(2):
        note = notes / f"{check.__name__}.{number}"
        assert note.exists(), "the processes ended before"
        assert note.read_text(encoding="utf-8") == "passed"


if __name__ == "__main__":
    rank(sys.argv[1], sys.argv[2], int(sys.argv[3]))
