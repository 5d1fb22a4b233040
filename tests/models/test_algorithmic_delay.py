"""The delay of causal networks, written out; and the features that none can have."""

from __future__ import annotations

import pytest

from audionas.errors import SettingsError
from audionas.features import Extractor, extractor_from_settings, load_features
from audionas.models.algorithmic_delay import algorithmic_delay, check_causal_features
from audionas.spaces import CnnMacro, RecurrentMacro

CAUSAL_RNN = RecurrentMacro(bidirectional=False, causal=True)


def log_mel(**settings: object) -> Extractor:
    return extractor_from_settings({"extractor": "log_mel", **settings}, "test").resolve(16_000, [2.0])


def test_the_delay_is_window_and_hop_and_lookahead() -> None:
    delay = algorithmic_delay(CAUSAL_RNN, log_mel(window_ms=25, hop_ms=10))
    assert delay is not None
    assert delay.as_record() == {"window_ms": 25.0, "hop_ms": 10.0, "lookahead_ms": 0.0, "total_ms": 35.0}
    assert delay.text == "algorithmic delay 35.0 ms: window 25.0, hop 10.0, lookahead 0.0"


def test_averaged_frames_are_as_wide_as_all_their_windows() -> None:
    delay = algorithmic_delay(CAUSAL_RNN, log_mel(window_ms=25, hop_ms=10, pool=4))
    assert delay is not None
    assert (delay.window_ms, delay.hop_ms) == (25 + 3 * 10, 4 * 10)


def test_a_number_of_frames_sets_the_averages() -> None:
    # 1.28 s in 64 frames with a hop of 10 ms: 128 frames of the transform, averaged by 2
    delay = algorithmic_delay(CAUSAL_RNN, log_mel(window_ms=20, hop_ms=10, frames=64, length_s=1.28))
    assert delay is not None
    assert (delay.window_ms, delay.hop_ms) == (20 + 10, 2 * 10)


def test_reduction_cells_give_fewer_outputs() -> None:
    macro = CnnMacro(n_cells=3, reduction_at=("1/3", "2/3"), causal=True)
    delay = algorithmic_delay(macro, log_mel(window_ms=25, hop_ms=10))
    assert delay is not None
    assert delay.hop_ms == 4 * 10


def test_deltas_wait_for_four_more_frames() -> None:
    delay = algorithmic_delay(CAUSAL_RNN, log_mel(hop_ms=10, deltas=2))
    assert delay is not None
    assert delay.lookahead_ms == 40


def test_a_network_that_is_not_causal_has_no_delay_but_the_clip() -> None:
    assert algorithmic_delay(CnnMacro(), log_mel()) is None


def test_an_encoder_that_reads_the_whole_clip_is_refused() -> None:
    encoder = extractor_from_settings({"extractor": "pretrained", "model": "some/encoder"}, "test")
    check_causal_features(CnnMacro(), encoder, "here")
    with pytest.raises(SettingsError, match="here: causal: true and features 'pretrained': a trained encoder"):
        check_causal_features(CAUSAL_RNN, encoder, "here")


def test_adaptive_frames_are_refused() -> None:
    adaptive = log_mel(frames=20, frames_by="adaptive", crop="end")
    with pytest.raises(SettingsError, match="frames_by: adaptive, whose frames have no fixed width"):
        check_causal_features(CAUSAL_RNN, adaptive, "here")
    mu_law = load_features("attention_pooling_cnn")
    check_causal_features(None, mu_law, "here")
    with pytest.raises(SettingsError, match="mu_law, which needs the extremes of the whole clip; take log: true"):
        check_causal_features(CAUSAL_RNN, mu_law, "here")
