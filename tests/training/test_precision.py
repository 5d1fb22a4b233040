"""Precision: what is taken where nothing is asked for, what is refused, and that statistics and losses stay float32."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from audionas.errors import SettingsError
from audionas.kernels.mixed_precision import full_precision
from audionas.models import build_model
from audionas.models.baselines.own_positions import OwnBatchNorm
from audionas.models.masked_maps import MaskedMaps
from audionas.models.spatial_pooling import BilinearPooling
from audionas.spaces import BaselineGenotype, CnnGenotype, Genotype
from audionas.spaces.reference_recipes import reference_recipe
from audionas.training.fit import FitPlan, fit, trainer_settings
from audionas.training.module import TrainingModule
from audionas.training.precision import checked_precision, precision_of_record, usual_precision
from audionas.training.recipe import Recipe
from audionas.training.tasks import TASKS
from tests.training.test_fit import batches, network

CELL = (("sep_conv_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 0), ("dil_conv_5x5", 2))
GENOTYPES: dict[str, Genotype] = {
    "cnn": CnnGenotype(CELL, (2, 3), CELL, (2, 3)),
    "recipe": reference_recipe("lstm"),
    **{name: BaselineGenotype.of(name, {}) for name in ("cnn_gru", "ctc_rnn", "fop", "attention_pooling_cnn", "lstm")},
}


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    def make(major: int, minor: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (major, minor))

    return make


@pytest.mark.parametrize(("capability", "usual"), [((9, 0), "bf16"), ((8, 0), "bf16"), ((7, 5), "16")])
def test_acard_has_the_best_mixed_precision_that_it_can(
    card: Callable[[int, int], None], capability: tuple[int, int], usual: str
) -> None:
    card(*capability)
    assert usual_precision("cuda") == checked_precision(None, "cuda:0") == usual
    assert trainer_settings("cuda")["precision"] == f"{usual}-mixed"
    assert trainer_settings("cuda", mixed_precision=False)["precision"] == "32-true"
    assert checked_precision("32", "cuda") == "32"


def test_the_cpu_computes_in_float32_unless_told() -> None:
    assert checked_precision(None, "cpu") == "32"
    assert trainer_settings("cpu")["precision"] == "32-true"
    assert trainer_settings("cpu", precision="bf16")["precision"] == "bf16-mixed"


def test_a_precision_that_is_not_there_is_refused(card: Callable[[int, int], None]) -> None:
    with pytest.raises(SettingsError, match=r"--precision: got '8'; accepted: 32, 16, bf16"):
        checked_precision("8", "cpu")
    with pytest.raises(SettingsError, match="--precision 16: is for GPUs; on the CPU use 32, or bf16"):
        checked_precision("16", "cpu")
    card(7, 5)
    with pytest.raises(SettingsError, match="--precision bf16: 'cuda' does not have it"):
        checked_precision("bf16", "cuda")


def test_a_run_that_names_no_precision_had_what_was_usual_then() -> None:
    assert [precision_of_record(None, device) for device in ("cpu", "cuda", "cuda:1")] == ["32", "16", "16"]
    assert precision_of_record("bf16", "cuda") == "bf16"


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", GENOTYPES)
def test_a_step_in_bfloat16_is_that_in_float32_up_to_its_rounding(name: str, masked: bool) -> None:
    """bfloat16 has 8 bits: 0.4 % a value. Losses differ by less than 1 %, weights and statistics stay float32."""
    torch.manual_seed(0)
    shape = (1, 40, 64)
    network = build_model(GENOTYPES[name], input_shape=shape, n_classes=3).train()
    module = TrainingModule(TASKS["classification"], Recipe(), epochs=1, seed=0, purpose="test")
    module.set_model(network)
    lengths = torch.tensor([64, 20, 33, 5]) if masked else None
    batch = torch.randn(4, *shape), torch.tensor([0, 1, 2, 1]), torch.ones(4), lengths
    losses = []
    for is_mixed in (False, True):
        torch.manual_seed(1)
        with torch.autocast("cpu", torch.bfloat16, enabled=is_mixed):
            losses.append(module._loss(*batch))
    losses[1].backward()
    assert losses[1].dtype == torch.float32
    assert float(losses[1].detach()) == pytest.approx(float(losses[0].detach()), rel=0.01)
    assert float(losses[1].detach()) != float(losses[0].detach()), "it was mixed"
    floating = [value for value in network.state_dict().values() if value.is_floating_point()]
    assert {value.dtype for value in floating} == {torch.float32}
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert {gradient.dtype for gradient in gradients} == {torch.float32}
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_a_training_in_bfloat16_ends_near_that_in_float32() -> None:
    ends = []
    for precision in ("32", "bf16"):
        trained = network()
        plan = FitPlan(TASKS["classification"], Recipe(), 3, 0, "test", precision=precision)
        ends.append((fit(trained, batches, plan)[-1]["train_loss"], trained.state_dict()))
    (loss, weights), (mixed_loss, mixed_weights) = ends
    assert mixed_loss == pytest.approx(loss, rel=0.05)
    assert mixed_loss != loss
    assert all(value.dtype == weights[name].dtype for name, value in mixed_weights.items())


def test_statistics_of_own_positions_are_summed_in_float32() -> None:
    """Sums of 10,000 ones: bfloat16 stops at 256."""
    norm, x = OwnBatchNorm(1), torch.ones(1, 1, 1, 10_000, dtype=torch.bfloat16)
    result = norm.of_own(x, torch.tensor([10_000]))
    assert result.dtype == torch.float32
    assert float(norm.running_mean) == pytest.approx(0.1)  # type: ignore[arg-type]


def test_the_root_of_bilinear_pooling_has_a_finite_slope_in_float16() -> None:
    x = torch.zeros(2, 3, 1, 4, dtype=torch.float16, requires_grad=True)
    pooling = BilinearPooling(3, 2, "root_first")
    pooling(MaskedMaps(x, None)).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_only_values_of_16_bits_are_widened(dtype: torch.dtype) -> None:
    x = torch.ones(2, dtype=dtype)
    found = full_precision(x)
    assert found.dtype == (torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype)
    assert (found is x) == (found.dtype == dtype)
