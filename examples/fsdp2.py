"""Train one network of which each of several processes holds a shard, and sees a part of the data (FSDP2).

    torchrun --standalone --nproc-per-node 2 examples/fsdp2.py

It saves a checkpoint every 100 steps and goes on from the last one that it finds; at the end it saves the best weights.
A checkpoint of ddp.py, or of another number of processes, serves as well.
"""

import argparse
import math
import os
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_state_dict,
    set_state_dict,
)
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from hilladam import HillAdam

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--steps", type=int, default=400, help="how many in all, with those before a checkpoint (400)")
parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), help="the folder that they are kept in")
args = parser.parse_args()

cuda = torch.cuda.is_available()
if cuda:
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
dist.init_process_group("nccl" if cuda else "gloo")
rank, ranks, device = dist.get_rank(), dist.get_world_size(), "cuda" if cuda else "cpu"

t = torch.linspace(-1, 1, 256, dtype=torch.float64, device=device)[:, None]
y = torch.sin(2 * math.pi * 2.0 * t + 0.5)
t, y = t[rank::ranks], y[rank::ranks]  # this rank's part

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)).double()
mesh = init_device_mesh(device, (ranks,))
for layer in model[::2]:
    fully_shard(layer, mesh=mesh)
fully_shard(model, mesh=mesh)
optimizer = HillAdam(model.parameters(), lr=0.03, delta=1e-4, gamma=2.0)


def everything(step):
    """What a checkpoint holds; of the tensors that are spread, each rank its shard."""
    weights, states = get_state_dict(model, optimizer)
    return {"model": weights, "optimizer": states, "step": step}


args.checkpoints.mkdir(parents=True, exist_ok=True)
start = 0
complete = [int(path.parent.name) for path in args.checkpoints.glob("*/.metadata")]  # this file is written last
if complete:
    state = everything(start)
    dcp.load(state, checkpoint_id=args.checkpoints / str(max(complete)))
    set_state_dict(model, optimizer, model_state_dict=state["model"], optim_state_dict=state["optimizer"])
    start = state["step"]

for step in range(start, args.steps):
    loss = (model(t) - y).square().mean()  # of this rank's part; the optimizer averages it over the ranks
    optimizer.zero_grad()
    loss.backward()
    optimizer.step(loss=loss.detach())
    if (step + 1) % 100 == 0:
        dcp.save(everything(step + 1), checkpoint_id=args.checkpoints / str(step + 1))

best = optimizer.load_best()
weights = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))  # by all ranks
if rank == 0:
    torch.save(weights, args.checkpoints / "best.pt")
    print(f"steps {start} to {args.steps}: {len(optimizer.switches)} switches, best loss {best:.4f}")
dist.destroy_process_group()
