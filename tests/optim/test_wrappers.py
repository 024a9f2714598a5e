"""In Lightning, in Accelerate and in other wrappers HillAdam takes the steps that it takes in a plain loop."""

import contextlib
from collections import deque
from itertools import combinations

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from hilladam import HillAdam

STEPS, PARTS = 40, 4
T = torch.linspace(-0.5, 0.5, 64)[:, None]
Y = torch.sin(12.0 * T + 0.5)
NO_LOSS = "HillAdam took 10 steps and was given no loss"


def wave():
    """A model of two parameters, with which HillAdam turns twice in 40 steps."""
    model = nn.Linear(1, 1)
    nn.init.constant_(model.weight, 3.0)
    nn.init.zeros_(model.bias)
    return model


def loss_of(model, t, y):
    return (torch.sin(model(t).float()) - y).square().mean()


def hill(model, **settings):
    return HillAdam(model.parameters(), lr=0.3, delta=1e-3, **settings)


def loader(parts):
    return DataLoader(TensorDataset(T, Y), batch_size=len(T) // parts)


def outcome(optimizer, model):
    """The turns, how many losses there were and the lowest of them, and where the parameters are."""
    place = [param.item() for param in model.parameters()]
    return (
        [switch.step for switch in optimizer.switches],
        optimizer.param_groups[0]["losses"],
        optimizer.best_loss,
        place,
    )


def plain(parts=1, dtype=None, scaled=False, steps=STEPS, **settings):
    """What comes of a plain loop, which hands over the mean of the parts that it gathers the gradients from."""
    model = wave()
    optimizer, scaler = hill(model, **settings), torch.amp.GradScaler("cpu", enabled=scaled)
    for _ in range(steps):
        optimizer.zero_grad()
        losses = []
        for t, y in zip(T.chunk(parts), Y.chunk(parts), strict=True):
            with torch.autocast("cpu", dtype, cache_enabled=False) if dtype else contextlib.nullcontext():
                loss = loss_of(model, t, y)
            scaler.scale(loss / parts).backward()
            losses.append(loss.detach())
        scaler.step(optimizer, loss=torch.stack(losses).mean())
        scaler.update()
    return outcome(optimizer, model)


def test_the_plain_loop_turns_and_the_precisions_differ():
    turns, losses, best, place = plain()
    assert len(turns) == 2 and losses == STEPS
    turns_in_parts, _, best_in_parts, place_in_parts = plain(PARTS)
    assert turns == turns_in_parts and best == pytest.approx(best_in_parts, rel=1e-4)
    assert place == pytest.approx(place_in_parts, rel=1e-4)
    ends = [plain(), plain(dtype=torch.bfloat16), plain(dtype=torch.float16, scaled=True)]
    assert all(a != b for a, b in combinations(ends, 2))


# Wrappers in general -------------------------------------------------------------------------------------------------


class Trainer:
    """A trainer as that of transformers is: it divides the loss, gathers gradients, and calls `step()` with nothing."""

    def __init__(self, model, optimizer, parts):
        self.model, self.optimizer, self.parts = model, optimizer, parts

    def training_step(self, t, y):
        loss = loss_of(self.model, t, y) / self.parts
        loss.backward()
        return loss.detach()

    def train(self):
        for _ in range(STEPS):
            for t, y in zip(T.chunk(self.parts), Y.chunk(self.parts), strict=True):
                self.training_step(t, y)
            self.optimizer.step()
            self.optimizer.zero_grad()


class Telling(Trainer):
    """The same, and it hands over the sum of the last parts, which at the step are those of the gradients."""

    def __init__(self, model, optimizer, parts):
        super().__init__(model, optimizer, parts)
        self.losses = deque(maxlen=parts)

    def training_step(self, t, y):
        loss = super().training_step(t, y)
        self.losses.append(loss)
        self.optimizer.hand_over(torch.stack(tuple(self.losses)).sum())
        return loss


@pytest.mark.parametrize("parts", [1, PARTS])
def test_a_trainer_that_hands_the_loss_over(parts):
    model = wave()
    optimizer = hill(model)
    Telling(model, optimizer, parts).train()
    assert outcome(optimizer, model) == plain(parts)
    best = optimizer.load_best()
    assert best == pytest.approx(loss_of(model, T, Y).item(), rel=1e-5)


def test_a_trainer_that_hides_the_loss_is_told_once():
    model = wave()
    optimizer = hill(model)
    with pytest.warns(RuntimeWarning, match=NO_LOSS) as caught:
        Trainer(model, optimizer, 1).train()
    assert len(caught) == 1 and optimizer.param_groups[0]["losses"] == 0
    with pytest.raises(RuntimeError, match="before any finite loss"):
        optimizer.load_best()


class Wrapper:
    """A wrapper that stands for the optimizer, as those of Lightning and Fabric do: an instance of its class."""

    def __init__(self, optimizer):
        self.optimizer = optimizer
        self.__class__ = type("Wrapped", (Wrapper, type(optimizer)), {})

    def step(self, closure=None):
        return self.optimizer.step(closure)

    def __getattr__(self, name):
        return getattr(self.optimizer, name)


def test_a_loss_handed_to_a_wrapper_reaches_the_optimizer():
    model = wave()
    optimizer = hill(model)
    wrapper = Wrapper(optimizer)
    assert isinstance(wrapper, HillAdam)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(model, T, Y)
        loss.backward()
        wrapper.hand_over(loss)
        wrapper.step()
    assert outcome(optimizer, model) == plain() == outcome(wrapper, model)
    assert wrapper.load_best() == loss_of(model, T, Y).item()


# Lightning -----------------------------------------------------------------------------------------------------------

OTHERS_WARN = pytest.mark.filterwarnings("ignore:(?!HillAdam)")


@pytest.fixture(scope="module")
def lightning():
    return pytest.importorskip("pytorch_lightning")


@pytest.fixture
def fit(lightning, tmp_path):
    """Train in Lightning; return the optimizer, the model, the trainer and the loss of each part."""

    class Module(lightning.LightningModule):
        def __init__(self, how, parts, **settings):
            super().__init__()
            self.model, self.how, self.settings = wave(), how, settings
            self.automatic_optimization = how != "manual"
            self.latest, self.seen = deque(maxlen=parts), []

        def training_step(self, batch, _):
            loss = loss_of(self.model, *batch)
            self.seen.append(loss.item())
            if self.how == "handed over":
                self.latest.append(loss.detach())
                self.optimizers().hand_over(torch.stack(tuple(self.latest)).mean())
            if self.how != "manual":
                return loss
            optimizer = self.optimizers()
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step(loss=loss.detach())

        def configure_optimizers(self):
            return hill(self.model, **self.settings)

    def run(how="closure", parts=1, steps=STEPS, resume=None, settings=None, **options):
        module = Module(how, parts, **(settings or {}))
        quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
        trainer = lightning.Trainer(
            max_epochs=steps, accelerator="cpu", devices=1, accumulate_grad_batches=parts, default_root_dir=tmp_path,
            **dict.fromkeys(quiet, False), **options,
        )  # fmt: skip
        trainer.fit(module, loader(parts), ckpt_path=resume)
        return trainer.optimizers[0], module.model, trainer, module.seen

    return run


@pytest.fixture
def scaler(lightning):
    """Lightning's plugin for 16-mixed, which by itself it has for GPUs alone."""

    def plugin():
        return lightning.plugins.MixedPrecision("16-mixed", "cpu", torch.amp.GradScaler("cpu"))

    return plugin


@OTHERS_WARN
@pytest.mark.parametrize("there", [False, True], ids=["on the host", "on the device"])
@pytest.mark.parametrize("how", ["closure", "manual", "handed over"])
def test_lightning(fit, how, there):
    optimizer, model, *_ = fit(how, settings={"capturable": there})
    assert outcome(optimizer, model) == plain()
    assert optimizer.load_best() == loss_of(model, T, Y).item()


@OTHERS_WARN
def test_lightning_gathering_gradients(fit):
    """Handed over, it is the mean. Else it is the last part's loss, which Lightning divides by their number."""
    optimizer, model, *_ = fit("handed over", PARTS)
    assert outcome(optimizer, model) == plain(PARTS)
    optimizer, _, _, seen = fit("closure", PARTS)
    assert optimizer.param_groups[0]["losses"] == STEPS and len(seen) == PARTS * STEPS
    assert optimizer.best_loss == min(seen[PARTS - 1 :: PARTS]) / PARTS


@OTHERS_WARN
@pytest.mark.parametrize("how", ["closure", "manual", "handed over"])
def test_lightning_in_bfloat16(fit, how):
    optimizer, model, *_ = fit(how, precision="bf16-mixed")
    assert outcome(optimizer, model) == plain(dtype=torch.bfloat16)


@OTHERS_WARN
@pytest.mark.parametrize("there", [False, True], ids=["on the host", "on the device"])
@pytest.mark.parametrize("how, fused", [("manual", False), ("handed over", False), ("handed over", True)])
def test_lightning_with_a_gradient_scaler(fit, scaler, how, fused, there):
    optimizer, model, *_ = fit(how, settings={"fused": fused, "capturable": there}, plugins=[scaler()])
    expected = plain(dtype=torch.float16, scaled=True, fused=fused)
    assert expected[1] == STEPS and outcome(optimizer, model) == expected


@OTHERS_WARN
def test_lightning_with_a_gradient_scaler_hides_the_loss_and_is_told_once(fit, scaler):
    with pytest.warns(RuntimeWarning, match=NO_LOSS) as caught:
        optimizer, *_ = fit("closure", plugins=[scaler()])
    assert [str(w.message)[: len(NO_LOSS)] for w in caught if "HillAdam" in str(w.message)] == [NO_LOSS]
    assert optimizer.param_groups[0]["losses"] == 0


@OTHERS_WARN
def test_lightning_goes_on_from_its_checkpoint(fit, tmp_path):
    *_, trainer, _ = fit(steps=STEPS // 2)
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    optimizer, model, *_ = fit(resume=tmp_path / "half.ckpt")
    assert outcome(optimizer, model) == plain()
    assert optimizer.load_best() == loss_of(model, T, Y).item()


# Accelerate ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def accelerated():
    """Train with Accelerate; return the optimizer, the model and the accelerator."""
    accelerate = pytest.importorskip("accelerate")

    def run(how="handed over", parts=1, **options):
        accelerate.state.AcceleratorState._reset_state(reset_partial_state=True)
        accelerate.state.GradientState._reset_state()
        accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=parts, **options)
        model = wave()
        optimizer = hill(model)
        prepared, wrapper, data = accelerator.prepare(model, optimizer, loader(parts))
        latest = deque(maxlen=parts)
        for _ in range(STEPS):
            for t, y in data:
                with accelerator.accumulate(prepared):
                    with accelerator.autocast():
                        loss = loss_of(prepared, t, y)
                    accelerator.backward(loss)
                    latest.append(loss.detach())
                    mean = torch.stack(tuple(latest)).mean()
                    if how == "handed over":
                        optimizer.hand_over(mean)
                    wrapper.step(lambda mean=mean: mean) if how == "closure" else wrapper.step()
                    wrapper.zero_grad()
        return optimizer, model, accelerator

    return run


@OTHERS_WARN
@pytest.mark.parametrize("parts", [1, PARTS])
@pytest.mark.parametrize("how", ["closure", "handed over"])
def test_accelerate(accelerated, how, parts):
    optimizer, model, _ = accelerated(how, parts)
    assert outcome(optimizer, model) == plain(parts)


@OTHERS_WARN
def test_accelerate_in_bfloat16(accelerated):
    optimizer, model, _ = accelerated(mixed_precision="bf16")
    assert outcome(optimizer, model) == plain(dtype=torch.bfloat16)


@OTHERS_WARN
def test_accelerate_hides_the_loss_and_is_told_once(accelerated):
    with pytest.warns(RuntimeWarning, match=NO_LOSS) as caught:
        optimizer, *_ = accelerated("hidden")
    assert len([w for w in caught if "HillAdam" in str(w.message)]) == 1
    assert optimizer.param_groups[0]["losses"] == 0


@OTHERS_WARN
def test_accelerate_saves_and_loads_all_that_is_remembered(accelerated, tmp_path):
    optimizer, model, accelerator = accelerated()
    accelerator.save_state(str(tmp_path))
    saved = outcome(optimizer, model)
    optimizer.state.clear()
    nn.init.zeros_(model.weight)
    with torch.no_grad():
        model.bias.zero_()
    accelerator.load_state(str(tmp_path))
    assert outcome(optimizer, model) == saved == plain()
    assert optimizer.load_best() == loss_of(model, T, Y).item()
