"""`macro.pooling` of CNN networks: the numbers written out, and padding left out."""

from __future__ import annotations

import pytest
import torch

from audionas.models import GenotypeNetwork, build_model, n_parameters
from audionas.spaces import CnnGenotype, CnnMacro

EDGES = (("skip_connect", 0), ("skip_connect", 1))
SHAPE = (1, 6, 12)
CLASSES = 3


def network(pooling: str) -> GenotypeNetwork:
    torch.manual_seed(0)
    macro = CnnMacro(n_cells=1, channels=4, reduction_at=(), pooling=pooling)  # type: ignore[arg-type]
    found = build_model(CnnGenotype(EDGES, (2,), EDGES, (2,), macro=macro), input_shape=SHAPE, n_classes=CLASSES)
    assert isinstance(found, GenotypeNetwork)
    return found.eval()  # type: ignore[return-value]


@pytest.mark.parametrize(
    "pooling,extra",
    [
        ("mean", 0),
        ("max", 0),
        ("statistics", 4 * CLASSES),  # twice as wide: as many weights again in the classifier
        ("attention", 4 * 4 + 4 + 4),  # W, b and v of v . tanh(W h + b)
    ],
)
def test_parameters_of_each_pooling(pooling: str, extra: int) -> None:
    assert n_parameters(network(pooling)) == n_parameters(network("mean")) + extra


@pytest.mark.parametrize("pooling", ["mean", "max", "statistics"])
def test_each_pooling_is_its_formula_over_own_frames(pooling: str) -> None:
    found, features = network(pooling), torch.randn(2, 4, 6, 12)
    lengths = torch.tensor([12, 5])
    rows = []
    for clip, n in zip(features, (12, 5), strict=True):
        frames = clip.mean(dim=1)[:, :n]
        mean = frames.mean(dim=1)
        spread = torch.sqrt(((frames - mean[:, None]) ** 2).mean(dim=1) + 1e-5)
        rows.append({"mean": mean, "max": frames.amax(dim=1), "statistics": torch.cat([mean, spread])}[pooling])
    torch.testing.assert_close(found.classify(features, lengths), found.classifier(torch.stack(rows)))


@pytest.mark.parametrize("pooling", ["mean", "max", "statistics", "attention"])
def test_padding_counts_for_nothing_in_the_pooling(pooling: str) -> None:
    found, features = network(pooling), torch.randn(1, 4, 6, 12)
    other = features.clone()
    other[..., 7:] = 100.0
    lengths = torch.tensor([7])
    torch.testing.assert_close(found.classify(other, lengths), found.classify(features, lengths))
    assert not torch.allclose(found.classify(other), found.classify(features))


@pytest.mark.parametrize("pooling", ["mean", "max", "statistics", "attention"])
def test_the_last_of_the_running_logits_are_those_of_the_clip(pooling: str) -> None:
    found, x = network(pooling), torch.randn(2, *SHAPE)
    torch.testing.assert_close(found.running_logits(x)[:, -1], found(x))
