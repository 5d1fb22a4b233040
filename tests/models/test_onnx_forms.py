"""The forms that ONNX has, run by torch itself: the same numbers as without them."""

from __future__ import annotations

import torch

from audionas.kernels.exporting import exporting
from audionas.models import build_model
from audionas.models.baselines.ctc import class_log_likelihoods
from audionas.models.onnx_forms import scan_frames
from audionas.spaces import RecurrentMacro
from audionas.spaces.reference_recipes import reference_recipe


def test_a_scan_hands_states_from_frame_to_frame() -> None:
    """Running sums, and each frame's sum doubled."""

    def step(states: list[torch.Tensor], frame: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        return [states[0] + frame], 2 * (states[0] + frame)

    x = torch.tensor([[[1.0], [2.0], [3.0]], [[0.0], [5.0], [1.0]]])
    found = scan_frames(step, [torch.zeros(2, 1)], x)
    torch.testing.assert_close(found, torch.tensor([[[2.0], [6.0], [12.0]], [[0.0], [10.0], [12.0]]]))


def test_a_recipe_gives_padded_clips_the_same() -> None:
    torch.manual_seed(0)
    genotype = reference_recipe("lstm").within(RecurrentMacro(hidden=3, bidirectional=True))
    network = build_model(genotype, input_shape=(1, 4, 9), n_classes=2).eval()
    x, lengths = torch.randn(3, 1, 4, 9), torch.tensor([9, 4, 1])
    with torch.no_grad():
        expected = network(x, lengths)
        with exporting():
            torch.testing.assert_close(network(x, lengths), expected)


def test_likelihoods_of_ctc_are_the_same() -> None:
    torch.manual_seed(0)
    x, lengths = torch.log_softmax(30 * torch.randn(3, 50, 4), dim=-1), torch.tensor([50, 7, 1])
    with exporting():
        found = class_log_likelihoods(x, lengths)
    torch.testing.assert_close(found, class_log_likelihoods(x, lengths))
