"""What a report says of an encoder's training data."""

from __future__ import annotations

import pytest

from audionas.features.encoders import encoder_note


@pytest.mark.parametrize(("settings", "note"), [
    (
        {"extractor": "pretrained", "model": "facebook/wav2vec2-base"},
        "facebook/wav2vec2-base: trained on LibriSpeech, 960 h of audio books; overlap with EMO-DB excluded, with "
        "IEMOCAP excluded.",
    ),
    (
        {"extractor": "pretrained", "model": "data/whisper-tiny-en-encoder"},
        "data/whisper-tiny-en-encoder (if it is what its folder's name says): trained on audio of the web with its "
        "texts, 680,000 h or more; overlap with EMO-DB unknown, with IEMOCAP unknown.",
    ),
    (
        {"extractor": "pretrained", "model": "emotion2vec/emotion2vec_base"},
        "emotion2vec/emotion2vec_base: trained on emotional speech that includes IEMOCAP; overlap with EMO-DB unknown, "
        "with IEMOCAP certain.",
    ),
    (
        {"extractor": "pretrained", "model": "me/mine"},
        "me/mine: training data not known to audionas; overlap unknown.",
    ),
    (
        {"extractor": "wav2vec", "checkpoint": "wav2vec_large.pt"},
        "wav2vec (if it is the published file): trained on LibriSpeech, 960 h of audio books; overlap with EMO-DB "
        "excluded, with IEMOCAP excluded.",
    ),
    ({"extractor": "log_mel"}, "log_mel: computed from the waveform alone, by no trained encoder."),
])  # fmt: skip
def test_the_note_says_training_data_and_overlap(settings: dict[str, str], note: str) -> None:
    assert encoder_note(settings) == note


def test_a_pattern_does_not_swallow_a_more_exact_name() -> None:
    exact = encoder_note({"extractor": "pretrained", "model": "facebook/wav2vec2-large-960h"})
    assert "LibriSpeech, 960 h" in exact
    longer = encoder_note({"extractor": "pretrained", "model": "facebook/wav2vec2-large-960h-lv60-self"})
    assert "Libri-Light and LibriSpeech" in longer
