"""GPUs are dealt by the names that CUDA gave them."""

from __future__ import annotations

import pytest
import torch

from audionas.training.devices import cards_of


@pytest.mark.parametrize(
    ("device", "n", "visible", "cards"),
    [
        ("cuda", 3, "", ["0", "1", "2"]),
        ("cuda", 2, "5, GPU-8a", ["5", "GPU-8a"]),
        ("cuda", 1, "", []),  # one for all: nothing to deal
        ("cuda:1", 3, "", []),  # this one was asked for
        ("cpu", 3, "", []),
    ],
)
def test_all_cards_are_dealt_where_none_was_named(
    device: str, n: int, visible: str, cards: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert cards_of(device) == cards
