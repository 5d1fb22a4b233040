"""A genotype retrained with other features than it was searched on: one line says so, and only then."""

from __future__ import annotations

from audionas.experiment.features_change import features_change
from audionas.features import load_features


def settings(name: str, longest_s: float = 2.0) -> dict[str, object]:
    return load_features(name).resolve(16_000, [longest_s]).settings()


def test_other_features_are_named_beside_those_of_the_search() -> None:
    line = features_change(settings("log_mel_small"), settings("log_mel_frames"), "log_mel_frames")
    assert line is not None
    assert line.startswith("searched on log_mel_small (")
    assert "n_mels 32" in line
    assert "retrained on log_mel_frames (" in line
    assert "n_mels 40" in line
    assert line.endswith(": the genotype was chosen for other features")
    other = features_change(settings("spectrogram"), settings("mfcc"), "mfcc")
    assert other == "searched on spectrogram, retrained on mfcc: the genotype was chosen for other features"


def test_the_same_features_of_another_length_are_no_change() -> None:
    assert features_change(settings("log_mel_frames"), settings("log_mel_frames", 3.0), "log_mel_frames") is None
    assert features_change(settings("log_mel_small"), settings("log_mel_small", 3.0), "log_mel_small") is None


def test_a_genotype_that_says_nothing_of_its_features_gives_no_warning() -> None:
    assert features_change(None, settings("mfcc"), "mfcc") is None


def test_settings_that_came_after_the_search_are_at_their_defaults() -> None:
    """A genotype of an older audionas says nothing of mu-law and windows."""
    came = ("mu_law", "mu_law_from", "train_windows", "train_shift_s", "test_shift_s")
    old = {key: value for key, value in settings("emotionnas").items() if key not in came}
    assert features_change(old, settings("emotionnas"), "emotionnas") is None
    line = features_change(old, settings("attention_pooling_cnn"), "attention_pooling_cnn")
    assert line is not None
    assert "searched on emotionnas (" in line
    assert "train_windows random" in line
