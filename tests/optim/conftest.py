import copy
import io
import pickle

import pytest
import torch

PATHS = {"for-loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}


@pytest.fixture(params=PATHS.values(), ids=PATHS)
def path(request):
    """The options that choose each of torch's implementations of Adam."""
    return request.param


def through_a_file(new, params, optimizer):
    file = io.BytesIO()
    torch.save((params, optimizer.state_dict()), file)
    file.seek(0)
    saved_params, saved = torch.load(file, weights_only=True)
    params, optimizer = new()
    with torch.no_grad():
        for x, y in zip(params, saved_params, strict=True):
            x.copy_(y)
    optimizer.load_state_dict(saved)
    return params, optimizer


def through_deepcopy(new, params, optimizer):
    return copy.deepcopy((params, optimizer))


def through_pickle(new, params, optimizer):
    return pickle.loads(pickle.dumps((params, optimizer)))


@pytest.fixture(params=[through_a_file, through_deepcopy, through_pickle])
def through(request):
    """Takes (new, params, optimizer) to copies of the last two; ``new`` makes fresh ones to load a file into."""
    return request.param
