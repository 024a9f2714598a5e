"""The training scripts in examples/ run under torchrun, go on from a checkpoint, and end where one process ends."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict

from hilladam import HillAdam

ROOT = Path(__file__).parents[1]
T = torch.linspace(-1, 1, 256, dtype=torch.float64)[:, None]
Y = torch.sin(2 * math.pi * 2.0 * T + 0.5)


def network():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)).double()
    return model, HillAdam(model.parameters(), lr=0.03, delta=1e-4, gamma=2.0, process_group=False)


def loss_of(model):
    return (model(T) - Y).square().mean()


def train(model, optimizer, steps):
    """Train in one process, with all of the data."""
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        optimizer.step(loss=loss)


def flat(model):
    return torch.cat([param.detach().flatten() for param in model.parameters()])


def everything(model, optimizer, step):
    weights, states = get_state_dict(model, optimizer)
    return {"model": weights, "optimizer": states, "step": step}


@pytest.mark.filterwarnings("ignore:.*torch.distributed is disabled")
@pytest.mark.parametrize("script", ["ddp.py", "fsdp2.py"])
def test_it_goes_on_from_a_checkpoint_of_one_process_and_saves_one(script, tmp_path):
    model, optimizer = network()
    train(model, optimizer, 100)
    dcp.save(everything(model, optimizer, 100), checkpoint_id=tmp_path / "100")

    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [ROOT / "examples" / script, "--steps", "200", "--checkpoints", tmp_path]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr

    train(model, optimizer, 100)
    there, other = network()
    state = everything(there, other, 0)
    dcp.load(state, checkpoint_id=tmp_path / "200")
    set_state_dict(there, other, model_state_dict=state["model"], optim_state_dict=state["optimizer"])
    assert state["step"] == 200 and other.switches == optimizer.switches and len(other.switches) == 6
    assert torch.allclose(flat(there), flat(model), rtol=0, atol=1e-8)

    best = optimizer.load_best()
    assert done.stdout.strip() == f"steps 100 to 200: 6 switches, best loss {best:.4f}"
    model.load_state_dict(torch.load(tmp_path / "best.pt", weights_only=True))
    assert loss_of(model).item() == pytest.approx(best, rel=1e-8)
