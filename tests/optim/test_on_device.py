"""Where the device decides, HillAdam turns at the same losses, has the same bits, and waits for nothing.

There need be no accelerator: ``capturable=True`` takes the same way on a CPU. What only CUDA can do is skipped without.
"""

import copy
import math
import pickle
import random
import sys
import warnings
from contextlib import contextmanager
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from torch import nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensor, FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from hilladam import AdaptiveHillAdam, HillAdam, Langevin, OverTheHill, SimulatedAnnealing

nan, inf = math.nan, math.inf
RULES = {"lr": 0.1, "delta": 0.3, "gamma": 5.0, "floor": -2.0}
DECAYS = {"none": {}, "L2": {"weight_decay": 0.1}, "decoupled": {"weight_decay": 0.1, "decoupled_weight_decay": True}}
not_finite = pytest.mark.filterwarnings("ignore:HillAdam was given a loss that is not finite")
cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")


def new(capturable, device="cpu", dtype=torch.float32, **options):
    """Three tensors in two groups, and their optimizer."""
    torch.manual_seed(0)
    params = [nn.Parameter(torch.randn(shape, dtype=dtype, device=device)) for shape in [(3,), (), (2, 4)]]
    groups = [{"params": params[:2], "lr": 0.05}, {"params": params[2:], "betas": (0.7, 0.9)}]
    return params, HillAdam(groups, capturable=capturable, **{**RULES, **options})


def set_gradients(params, step, absent=False):
    """The same at the same step; where they are absent, not for every parameter at every step."""
    generator = torch.Generator().manual_seed(step)
    for index, param in enumerate(params):
        grad = torch.randn(param.shape, generator=generator).to(param)
        param.grad = None if absent and (step + index) % 3 == 0 else grad


def losses_of(seed, count=60):
    """Losses that meet every rule, some not finite."""
    draw = random.Random(seed)
    rest = [draw.choice([draw.uniform(-3, 6), 1.0, 1.1, nan, inf, -inf]) for _ in range(count - 4)]
    return [1.0, 1.0, 6.0, -3.0, *rest]


def everything(params, optimizer):
    """All of a run, to the last bit."""
    saved = optimizer.state_dict()
    groups = [sorted(set(map(str, group.items()))) for group in saved["param_groups"]]
    groups = [[item for item in group if "capturable" not in item] for group in groups]
    state = {id_: {key: s[key].tolist() for key in sorted(s)} for id_, s in saved["state"].items()}
    return str([[param.tolist() for param in params], state, optimizer.switches, optimizer.last_switch, groups])


def run(capturable, losses, absent=False, hand=None, **options):
    """Take a step for each loss; say what there is at the end, and after going back to the best."""
    params, optimizer = new(capturable, **options)
    way = []
    for step, loss in enumerate(losses):
        set_gradients(params, step, absent)
        hand(optimizer, loss) if hand else optimizer.step(loss=torch.tensor(loss, dtype=torch.float64))
        way.append(str([param.tolist() for param in params]))
    end = everything(params, optimizer)
    if optimizer.best_loss < inf and optimizer.param_groups[0]["track_best"]:
        optimizer.load_best()
    return way, end, everything(params, optimizer)


# The same as on the host ----------------------------------------------------------------------------------------------


@not_finite
@pytest.mark.parametrize("track_best", [True, "turn", False], ids=str)
@pytest.mark.parametrize("decay", DECAYS.values(), ids=DECAYS)
def test_it_turns_at_the_same_losses_and_has_the_same_bits(decay, track_best, path):
    for seed in range(2):
        options = {**decay, **path, "track_best": track_best, "absent": bool(seed)}
        assert run(True, losses_of(seed), **options) == run(False, losses_of(seed), **options)


values = st.sampled_from([0.0, 1.0, 1.00001, 5.0, -5.0, nan, inf, -inf]) | st.floats(-20, 20)
options = st.fixed_dictionaries(
    {"delta": st.sampled_from([0.0, 1e-4, 1.0]), "gamma": st.sampled_from([2.0, 10.0, inf]),
     "floor": st.sampled_from([-inf, -2.0, 1.0]), "track_best": st.sampled_from([True, "turn", False]),
     "absent": st.booleans(), "dtype": st.sampled_from([torch.float32, torch.float64, torch.bfloat16])}
)  # fmt: skip


@not_finite
@examples(max_examples=25)
@given(st.lists(values, min_size=1, max_size=12), options)
def test_whatever_the_losses_are(losses, options):
    assert run(True, losses, **options) == run(False, losses, **options)


def closure(optimizer, loss):
    optimizer.step(lambda: torch.tensor(loss, dtype=torch.float64))


def handed(optimizer, loss):
    optimizer.hand_over(torch.tensor([loss], dtype=torch.float64, requires_grad=True))
    optimizer.step()


def numbers(optimizer, loss):
    optimizer.step(loss=loss)


def sometimes_none(optimizer, loss):
    optimizer.step(loss=None if loss > 2 else torch.tensor(loss, dtype=torch.float64))


def half(optimizer, loss):
    optimizer.step(loss=torch.tensor(loss, dtype=torch.bfloat16))


@not_finite
@pytest.mark.filterwarnings("ignore:HillAdam turned at a")
@pytest.mark.parametrize("hand", [closure, handed, numbers, sometimes_none, half], ids=lambda hand: hand.__name__)
def test_however_the_loss_is_handed_over(hand, path):
    losses = losses_of(2)
    assert run(True, losses, hand=hand, **path) == run(False, losses, hand=hand, **path)


@pytest.mark.parametrize("foreach", [False, True], ids=["for-loop", "foreach"])
def test_complex_parameters(foreach):
    losses = [abs(loss) for loss in losses_of(3) if math.isfinite(loss)]
    runs = [run(capturable, losses, dtype=torch.complex64, foreach=foreach) for capturable in (False, True)]
    assert runs[0] == runs[1]


@not_finite
@pytest.mark.parametrize("track_best", [True, "turn"], ids=str)
@pytest.mark.parametrize("capturable", [True, False], ids=["to the device", "from the device"])
def test_a_checkpoint_goes_on_in_the_other_form(capturable, track_best, path):
    options, losses = {**path, "track_best": track_best}, losses_of(4)
    params, optimizer = new(not capturable, **options)
    for step, loss in enumerate(losses):
        if step % 7 == 6:
            saved, weights = copy.deepcopy(optimizer.state_dict()), [param.detach().clone() for param in params]
            capturable = not capturable
            params, optimizer = new(capturable, **options)
            optimizer.load_state_dict(saved)
            with torch.no_grad():
                for param, weight in zip(params, weights, strict=True):
                    param.copy_(weight)
            assert optimizer.param_groups[0]["capturable"] == capturable
        set_gradients(params, step)
        optimizer.step(loss=torch.tensor(loss, dtype=torch.float64))
    assert everything(params, optimizer) == run(False, losses, **options)[1]


@not_finite
@pytest.mark.parametrize(
    "through", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"]
)
def test_a_copy_goes_its_own_way(through):
    losses = losses_of(5)
    params, optimizer = new(True)
    for step, loss in enumerate(losses):
        if step == 30:
            kept, (params, optimizer) = everything(params, optimizer), through((params, optimizer))
            left = optimizer
            assert everything(params, optimizer) == kept
        set_gradients(params, step)
        optimizer.step(loss=torch.tensor(loss, dtype=torch.float64))
    assert everything(params, left) == run(False, losses)[1]


def test_what_lies_on_the_device_stays_in_its_place():
    """So that a graph that was captured finds it: also through a load, a fresh state and a return to the best."""
    params, optimizer = new(True)
    set_gradients(params, 0)
    optimizer.step(loss=torch.tensor(3.0))
    ledger = optimizer._ledger
    places = [tensor.data_ptr() for tensor in (*ledger.numbers.values(), ledger.switch_log)]
    saved = copy.deepcopy(optimizer.state_dict())
    for loss in (3.0, 2.0, 9.0, -9.0):
        optimizer.step(loss=torch.tensor(loss))
    assert (optimizer.switch_count, optimizer.best_loss) == (3, -9.0)
    optimizer.load_best()
    optimizer.load_state_dict(saved)
    assert (optimizer.switch_count, optimizer.best_loss) == (0, 3.0)
    optimizer.step(loss=torch.tensor(3.0))
    assert optimizer.switch_count == 1
    optimizer.state = type(optimizer.state)(dict)
    assert (optimizer.switch_count, optimizer.best_loss, optimizer.direction) == (0, inf, "minimize")
    optimizer.step(loss=7.0)
    assert optimizer._ledger is ledger and optimizer.best_loss == 7.0
    assert places == [tensor.data_ptr() for tensor in (*ledger.numbers.values(), ledger.switch_log)]


def test_the_log_is_a_ring_there_too():
    params, optimizer = new(True, delta=1.0, gamma=inf, floor=-inf)
    host_params, host = new(False, delta=1.0, gamma=inf, floor=-inf)
    for param in (*params, *host_params):
        param.grad = None  # nothing moves: this is about the log
    for _ in range(2100):
        optimizer.step(loss=torch.tensor(3.0))
        host.step(loss=3.0)
    assert optimizer.switch_count == 1050 and optimizer.switches == host.switches and len(host.switches) == 1000


@pytest.mark.parametrize("foreach", [False, None, True], ids=str)
def test_a_learning_rate_that_is_a_tensor_is_followed(foreach):
    runs = []
    for capturable in (False, True):
        params, optimizer = new(capturable, foreach=foreach if capturable else False)
        for group in optimizer.param_groups:
            group["lr"] = torch.tensor(group["lr"]) if capturable or not foreach else group["lr"]
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        for step, loss in enumerate(losses_of(6, 20)):
            set_gradients(params, step)
            if math.isfinite(loss):
                optimizer.step(loss=torch.tensor(loss))
                schedule.step()
        runs.append([param.detach() for param in params])
    assert float(optimizer.param_groups[0]["lr"]) < 0.03
    for one, other in zip(*runs, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("capturable", [False, True], ids=["host", "device"])
def test_a_step_that_a_gradient_scaler_skips_is_not_judged(capturable):
    (params, optimizer), (others, unscaled) = new(capturable, fused=True), new(False, fused=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    for step, loss in enumerate([1.0, 2.0, 2.0, 0.5, 3.0, 6.0, 1.0]):
        set_gradients(params, step)
        set_gradients(others, step)
        for param in params:
            param.grad *= scaler.get_scale()
        scaler.scale(torch.tensor(loss))
        if step == 3:
            params[0].grad[0] = inf
        else:
            unscaled.step(loss=torch.tensor(loss))
        scaler.step(optimizer, loss=torch.tensor(loss))
        scaler.update()
        assert all(torch.equal(x, y) for x, y in zip(params, others, strict=True))
    assert everything(params, optimizer) == everything(others, unscaled) and optimizer.switch_count == 2


@pytest.mark.parametrize("capturable", [False, True], ids=["host", "device"])
def test_tensors_of_several_types_take_the_fused_form_too(capturable):
    params, others = ([nn.Parameter(torch.ones(2, dtype=x)) for x in (torch.float32, torch.float64)] for _ in range(2))
    together = HillAdam(params, 0.1, eps=0.5, fused=True, capturable=capturable)
    apart = [HillAdam([param], 0.1, eps=0.5, fused=True) for param in others]
    together.grad_scale, together.found_inf = torch.tensor(4.0), torch.tensor(0.0)  # as a gradient scaler does
    for loss in (1.0, 1.0, 2.0, 3.0):
        for param in params:
            param.grad = torch.full_like(param, 4.0)
        together.step(loss=torch.tensor(loss))
        for param, optimizer in zip(others, apart, strict=True):
            param.grad = torch.ones_like(param)
            optimizer.step(loss=loss)
    assert all(torch.equal(x, y) for x, y in zip(params, others, strict=True)) and together.switch_count == 1


def test_one_group_is_as_good_as_two(in_a_graph):
    x = nn.Parameter(torch.ones(2))
    x.grad = torch.ones(2)
    optimizer = HillAdam([x], capturable=True)
    optimizer.step(loss=torch.tensor(3.0))
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    in_a_graph()
    optimizer.step(loss=torch.tensor(2.0))
    assert optimizer.best_loss == 2.0


@pytest.mark.parametrize("capturable", [False, True], ids=["host", "device"])
def test_a_group_without_gradients_stops_none_behind_it(capturable):
    params, optimizer = new(capturable)
    start = params[2].tolist()
    params[2].grad = torch.ones_like(params[2])
    optimizer.step(loss=torch.tensor(1.0))
    assert params[2].tolist() != start


# Nothing waits --------------------------------------------------------------------------------------------------------


class NoReading(TorchDispatchMode):
    """Refuses to read a tensor, as :meth:`torch.Tensor.item`, ``bool`` and ``float`` do."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        if operation is torch.ops.aten._local_scalar_dense.default:
            raise AssertionError("the host waits for the device")
        return operation(*args, **(kwargs or {}))


class NoListing(TorchFunctionMode):
    """Refuses :meth:`torch.Tensor.tolist`, which is no operation of its own."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is torch.Tensor.tolist:
            raise AssertionError("the host waits for the device")
        return function(*args, **(kwargs or {}))


@contextmanager
def waiting_refused():
    with NoReading(), NoListing():
        yield


@pytest.fixture
def no_waiting(monkeypatch):
    """What torch's Adam reads of its steps on a CPU, and on no accelerator, it reads unseen."""
    monkeypatch.setattr(sys.modules["torch.optim.adam"], "_get_value", lambda step: step.numpy().item())
    return waiting_refused


def test_what_refuses_to_wait_notices_it(no_waiting):
    params, optimizer = new(False)
    set_gradients(params, 0)
    with no_waiting(), pytest.raises(AssertionError, match="waits"):
        optimizer.step(loss=torch.tensor(1.0))
    for read in (bool, float, int, torch.Tensor.tolist):
        with no_waiting(), pytest.raises(AssertionError, match="waits"):
            read(torch.tensor(1.0))


@pytest.mark.parametrize("track_best", [True, "turn", False], ids=str)
def test_a_step_waits_for_nothing(track_best, path, no_waiting):
    params, optimizer = new(True, **path, track_best=track_best)
    losses = [torch.tensor(loss) for loss in losses_of(7)]
    for step, loss in enumerate(losses):
        set_gradients(params, step, absent=True)
        with no_waiting():
            if step % 3:
                optimizer.step(loss=loss)
            else:
                optimizer.hand_over(loss)
                optimizer.step()
            optimizer.step()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert {switch.reason for switch in optimizer.switches} == {"critical", "dead_end", "floor"}


def test_a_skipped_step_waits_for_nothing(no_waiting):
    params, optimizer = new(True, fused=True)
    optimizer.grad_scale, optimizer.found_inf = torch.tensor(2.0), torch.tensor(0.0)  # as a gradient scaler does
    for step, found_inf in enumerate([0.0, 1.0, 0.0]):
        set_gradients(params, step)
        optimizer.found_inf.fill_(found_inf)
        before = params[0].tolist()
        with no_waiting():
            optimizer.step(loss=torch.tensor(1.0))
        assert (params[0].tolist() == before) == bool(found_inf)
    assert optimizer.param_groups[0]["losses"] == 0  # nobody has asked
    assert optimizer.switches[0].step == 1 and optimizer.param_groups[0]["losses"] == 2


@pytest.fixture
def fake_cuda(monkeypatch):
    """Tensors on a GPU that need not be there: they have no numbers, and refuse what mixes devices or reads one.

    Three methods ask for CUDA itself before they ask for the tensors' mode.
    """
    aten, mode = torch.ops.aten, FakeTensorMode(allow_non_fake_inputs=True)

    def to(self, *args, **_):
        self = self if isinstance(self, FakeTensor) else mode.from_tensor(self)  # or torch 2.7 looks for the GPU
        device = next((x for x in args if isinstance(x, torch.device)), self.device)
        dtype = next((x for x in args if isinstance(x, torch.dtype)), self.dtype)
        same = device == self.device and dtype == self.dtype
        return self if same else aten._to_copy.default(self, device=device, dtype=dtype)

    monkeypatch.setattr(torch.Tensor, "to", to)
    monkeypatch.setattr(torch.Tensor, "float", lambda self: to(self, torch.float32))
    monkeypatch.setattr(torch.Tensor, "copy_", lambda self, other: aten.copy_.default(self, other))
    return mode


@pytest.mark.parametrize("capturable", [False, True], ids=["by itself", "told to"])
@pytest.mark.parametrize("track_best", [True, "turn"], ids=str)
def test_on_an_accelerator_it_goes_over_by_itself_and_mixes_no_devices(capturable, track_best, path, fake_cuda):
    with fake_cuda:
        params = [nn.Parameter(torch.empty(shape, device="cuda")) for shape in [(3, 2), ()]]
        optimizer = HillAdam(params, capturable=capturable, track_best=track_best, weight_decay=0.1, **path)
        for param in params:
            param.grad = torch.empty_like(param)
        optimizer.step()  # on the host, with torch's counts of steps there, unless it is told to
        steps = {state["step"].device.type for state in optimizer.state.values()}
        assert steps == {"cuda" if capturable or path.get("fused") else "cpu"}
        for dtype in (torch.float32, torch.bfloat16):
            optimizer.step(loss=torch.empty(1, device="cuda", dtype=dtype))
        params[0].grad = None
        optimizer.step()
        if path.get("fused"):
            optimizer.found_inf = torch.empty((), device="cuda")
            optimizer.step(loss=torch.empty((), device="cuda"))
        assert optimizer._ledger.device.type == "cuda"
        assert {state["step"].device.type for state in optimizer.state.values()} == {"cuda"}


def test_many_parameters_are_decided_on_the_host_unless_it_is_told_to(monkeypatch, fake_cuda):
    for largest, there in ((5, False), (6, True)):
        monkeypatch.setattr("hilladam.optim._on_device.LARGEST", largest)
        for capturable in (False, True):
            with fake_cuda:
                x = nn.Parameter(torch.empty(3, 2, device="cuda"))
                optimizer = HillAdam([x], capturable=capturable)
                loss = torch.empty((), device="cuda")
                if there or capturable:
                    optimizer.step(loss=loss)
                else:
                    with pytest.raises(DataDependentOutputException):  # it reads the loss
                        optimizer.step(loss=loss)
            assert (optimizer._ledger is not None) == (there or capturable)


# Warnings come when something is asked --------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_a_loss_that_is_not_finite_is_told_when_something_is_asked(bad):
    params, optimizer = new(True)
    set_gradients(params, 0)
    optimizer.step(loss=torch.tensor(1.0))
    optimizer.step(loss=torch.tensor(bad))
    with pytest.warns(RuntimeWarning, match="not finite") as caught:
        assert optimizer.best_loss == 1.0
    assert [warning.filename for warning in caught] == [__file__]
    assert optimizer.best_loss == 1.0  # told once
    with pytest.warns(RuntimeWarning, match="not finite"):
        optimizer.step(loss=inf)  # this one the host knows
    assert optimizer.best_loss == 1.0


def test_a_loss_that_is_too_coarse_is_told_when_something_is_asked():
    params, optimizer = new(True, delta=1e-4, gamma=200.0, floor=-inf)
    set_gradients(params, 0)
    for _ in range(4):
        optimizer.step(loss=torch.tensor(-9.75, dtype=torch.bfloat16))
    with pytest.warns(RuntimeWarning, match=r"bfloat16 loss of 9.75, whose neighbours are up to 0.076 away") as caught:
        assert optimizer.direction
    assert [warning.filename for warning in caught] == [__file__]
    optimizer.step(loss=torch.tensor(-9.75, dtype=torch.bfloat16))
    assert optimizer.direction


@pytest.mark.parametrize("capturable", [False, True], ids=["host", "device"])
def test_one_that_is_fine_enough_is_not(capturable):
    params, optimizer = new(capturable, delta=1e-4, gamma=200.0, floor=-inf)
    set_gradients(params, 0)
    for loss in (9.75, 9.75, 1e6, 2.0, 2.0):
        optimizer.step(loss=torch.tensor(loss))
    assert optimizer.switch_count == 3


def test_a_loss_that_was_asked_about_is_not_told_of_later():
    params, optimizer = new(True, delta=1e-4, gamma=200.0, floor=-inf)
    set_gradients(params, 0)
    for loss in (torch.tensor(9.75), torch.tensor(1e-4, dtype=torch.bfloat16)):  # of such size and type, fine enough
        for _ in range(2):
            optimizer.step(loss=loss)
        assert optimizer.switches[-1].reason == "critical"
    assert optimizer.switch_count == 2


# The best turn --------------------------------------------------------------------------------------------------------


@not_finite
@examples(max_examples=40)
@given(st.lists(values, min_size=1, max_size=30), st.booleans())
def test_the_best_turn_is_the_lowest_loss_at_which_a_descent_turned_up(losses, capturable):
    params, optimizer = new(capturable, track_best="turn", delta=1.0)
    best, held = inf, None
    for step, loss in enumerate(losses):
        set_gradients(params, step)
        before, direction = [param.tolist() for param in params], optimizer.direction
        optimizer.step(loss=loss)
        if (direction, optimizer.direction) == ("minimize", "maximize") and loss < best:
            best, held = loss, before
        assert optimizer.best_loss == best
    if held is None:
        with pytest.raises(RuntimeError, match=r"load_best\(\) called before a descent turned up"):
            optimizer.load_best()
    else:
        assert optimizer.load_best() == best and [param.tolist() for param in params] == held


@pytest.mark.parametrize("capturable", [False, True], ids=["host", "device"])
def test_between_turns_it_copies_nothing(capturable, path):
    params, optimizer = new(capturable, track_best="turn", **path)
    losses = [4.0, 3.0, 2.0, 1.0, 1.0, 0.0, -1.0]
    copies = []
    for step, loss in enumerate(losses):
        set_gradients(params, step)
        optimizer.step(loss=torch.tensor(loss))
        copies.append(optimizer.state[params[2]]["best"].tolist())
    assert [i for i in range(1, len(losses)) if copies[i] != copies[i - 1]] == [4] and optimizer.best_loss == 1.0


def test_a_parameter_that_joins_after_the_best_turn_comes_back_too():
    params, optimizer = new(False, track_best="turn")
    late = nn.Parameter(torch.ones(2))
    optimizer.add_param_group({"params": [late]})
    for step, loss in enumerate([1.0, 1.0, 3.0, 2.5]):
        set_gradients(params, step)
        late.grad = torch.ones(2) if step > 2 else None
        optimizer.step(loss=loss)
    assert late.tolist() != [1.0, 1.0]
    assert optimizer.load_best() == 1.0 and late.tolist() == [1.0, 1.0]


def test_the_others_keep_no_turns():
    for make in (AdaptiveHillAdam, OverTheHill, partial(Langevin, lr=0.1, temperature=0.0),
                 partial(SimulatedAnnealing, lr=0.1, temperature=1.0)):  # fmt: skip
        with pytest.raises(ValueError, match="Invalid track_best value: 'turn'; expected True or False"):
            make([nn.Parameter(torch.ones(2))], track_best="turn")
    with pytest.raises(ValueError, match="Invalid track_best value: 'best'; expected True or False, or 'turn'"):
        HillAdam([nn.Parameter(torch.ones(2))], track_best="best")


# Graphs ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def in_a_graph(monkeypatch):
    """As if what is called were captured."""

    def begin():
        monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
        monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)

    return begin


def refused(params, optimizer, message, **loss):
    """The step is refused, and nothing has changed."""
    before = str([[p.tolist() for p in params], optimizer.state_dict(), optimizer._handed, len(optimizer.state)])
    with pytest.raises(RuntimeError, match=message):
        optimizer.step(**loss)
    after = str([[p.tolist() for p in params], optimizer.state_dict(), optimizer._handed, len(optimizer.state)])
    assert after == before


@pytest.mark.parametrize("capturable", [False, True], ids=["host", "device"])
def test_a_capture_that_cannot_be_leaves_nothing_behind(capturable, in_a_graph):
    params, optimizer = new(capturable)
    set_gradients(params, 0)
    optimizer.hand_over(torch.tensor(3.0))
    in_a_graph()
    message = "before all that HillAdam remembers was made" if capturable else "capturable is False"
    refused(params, optimizer, message, loss=torch.tensor(3.0))
    refused(params, optimizer, message)
    assert not optimizer.state and optimizer._ledger is None


def test_what_a_capture_needs(in_a_graph):
    params, optimizer = new(True)
    set_gradients(params, 0)
    params[1].grad = None
    optimizer.step(loss=torch.tensor(3.0))
    in_a_graph()
    optimizer.step(loss=torch.tensor(2.0))
    optimizer.step()
    refused(params, optimizer, r"with the loss 2\.0; expected a tensor", loss=2.0)
    params[1].grad = torch.ones(())  # it has no state yet
    refused(params, optimizer, "before all that HillAdam remembers was made", loss=torch.tensor(2.0))
    params[1].grad = None
    optimizer.step(loss=torch.tensor(1.0))
    assert optimizer.best_loss == 1.0 and optimizer.param_groups[0]["losses"] == 3
    del optimizer.state[params[0]]["best"]
    refused(params, optimizer, "before all that HillAdam remembers was made", loss=torch.tensor(2.0))


def test_the_others_cannot_be_captured(in_a_graph):
    in_a_graph()
    x = nn.Parameter(torch.ones(2))
    x.grad = torch.ones(2)
    for make in (AdaptiveHillAdam, OverTheHill, partial(Langevin, lr=0.1, temperature=0.0)):
        refused([x], make([x]), "decides on the host, so that its step cannot be captured", loss=torch.tensor(1.0))
    with pytest.raises(RuntimeError, match="SimulatedAnnealing decides on the host"):
        SimulatedAnnealing([x], lr=0.1, temperature=1.0).step(lambda: torch.tensor(1.0))


@cuda
@not_finite
@pytest.mark.parametrize("track_best", [True, "turn"], ids=str)
def test_a_graph_replays_through_turns(track_best, path):
    losses = losses_of(8)
    params, optimizer = new(True, "cuda", track_best=track_best, **path)
    others, eager = new(True, "cuda", track_best=track_best, **path)
    loss = torch.tensor(4.0, device="cuda")
    for group in (*optimizer.param_groups, *eager.param_groups):
        group["lr"] = torch.tensor(group["lr"], device="cuda")
    for each, one in ((params, optimizer), (others, eager)):
        set_gradients(each, 0)
        one.step(loss=loss)
    graph = torch.cuda.CUDAGraph()
    before = everything(others, eager)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    torch.cuda.synchronize()
    with torch.cuda.graph(graph, stream=stream):
        optimizer.step(loss=loss)
    assert everything(params, optimizer) == before  # a capture carries out nothing
    gradients = [param.grad for param in params]
    for step, value in enumerate(losses):
        loss.fill_(value)
        set_gradients(others, step)
        for grad, other in zip(gradients, others, strict=True):
            grad.copy_(other.grad)
        for one in (optimizer, eager):
            for group in one.param_groups:
                group["lr"].mul_(0.99)
        graph.replay()
        eager.step(loss=loss)
    assert everything(params, optimizer) == everything(others, eager)
    assert {switch.reason for switch in optimizer.switches} == {"critical", "dead_end", "floor"}
    assert optimizer.load_best() == eager.load_best()
    assert all(torch.equal(x, y) for x, y in zip(params, others, strict=True))


@cuda
def test_a_capture_that_fails_leaves_nothing_behind_on_the_device():
    params, optimizer = new(True, "cuda")
    set_gradients(params, 0)
    graph = torch.cuda.CUDAGraph()
    with pytest.raises(RuntimeError, match="before all that HillAdam remembers was made"):
        with torch.cuda.graph(graph):
            optimizer.step(loss=torch.ones((), device="cuda"))
    assert not optimizer.state and optimizer._ledger is None


@cuda
@not_finite
@pytest.mark.parametrize("fused", [False, True], ids=["foreach", "fused"])
def test_a_loss_on_an_accelerator_is_judged_there_by_itself(fused, no_waiting):
    losses = losses_of(9)
    params, optimizer = new(False, "cuda", fused=fused)
    others, told = new(True, "cuda", fused=fused)
    for step, loss in enumerate(losses):
        set_gradients(params, step)
        set_gradients(others, step)
        value = torch.tensor(loss, device="cuda")
        with no_waiting():
            optimizer.step(loss=value)
            told.step(loss=value)
    assert everything(params, optimizer) == everything(others, told)
    optimizer.step(loss=1.0)  # a number is judged on the host, and goes on where the device was
    told.step(loss=1.0)
    assert optimizer._ledger is None and optimizer.switches == told.switches
    assert all(torch.equal(x, y) for x, y in zip(params, others, strict=True))


@cuda
@pytest.mark.parametrize("waiting", ["error"])
def test_a_step_does_not_synchronise(waiting, path):
    params, optimizer = new(True, "cuda", **path)
    set_gradients(params, 0)
    loss = torch.ones((), device="cuda")
    optimizer.step(loss=loss)
    torch.cuda.set_sync_debug_mode(waiting)
    try:
        for _ in range(4):
            optimizer.step(loss=loss)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert optimizer.switch_count == 2
