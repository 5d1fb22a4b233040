"""From audio to the windows that a clip is scored by, and the mean of their scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from audionas.audio.manifest import Task
from audionas.exchange import clip_windows
from audionas.exchange.clip_windows import score_clips, windows_of
from audionas.exchange.scored_input import Fed, ScoredInput
from audionas.features import extractor_from_settings
from audionas.features.extractor import Extractor
from audionas.features.log_mel import LogMel


def extractor(**settings: object) -> Extractor:
    given = {"extractor": "log_mel", "sample_rate_hz": 8000, "length_s": 0.5, "n_mels": 4, "pool": 4, **settings}
    return extractor_from_settings(given, "test").resolve(8000, [0.5])


def audio(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(size=round(8000 * seconds)).astype(np.float32)


def test_a_short_clip_is_filled_up_with_zeros_that_lengths_tell_apart() -> None:
    e = extractor(mask_padding=True)
    x, own = windows_of(e, audio(0.2))
    assert x.shape == (1, *e.input_shape)
    assert own is not None
    assert own.tolist() == [5]  # 20 hops of 10 ms, by 4
    assert not x[:, :, :, 5:].any()
    np.testing.assert_array_equal(x[0, :, :, :5], e(audio(0.2))[:, :, :5])
    assert windows_of(extractor(), audio(0.2))[1] is None


@pytest.mark.parametrize(("windows", "n"), [("centre", 1), ("multi", 5)])
def test_a_long_clip_has_the_windows_of_its_features(windows: str, n: int) -> None:
    """1.5 s in windows of 0.5 s, by half a window or less."""
    x, _ = windows_of(extractor(test_windows=windows), audio(1.5))
    assert x.shape[0] == n


def test_values_are_rounded_as_a_cache_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    e = extractor()
    exact, _ = windows_of(e, audio(0.6))
    monkeypatch.setattr(LogMel, "stored_dtype", "float16")
    rounded, _ = windows_of(e, audio(0.6))
    np.testing.assert_array_equal(rounded, exact.astype(np.float16).astype(np.float32))
    assert (rounded != exact).any()


class SumsOfRows:
    """A scorer of two inputs whose score is the first value of a row; two networks read the first input."""

    task: Task = "classification"
    labels = ("a",)
    longest_s = 1.0
    inputs = tuple(
        ScoredInput(features=f"features_{k}", lengths=None, scores=f"scores_{k}", settings={}, shape=(1, 1, 1),
                    networks=("n",) * n) for k, n in ((1, 2), (2, 1))
    )  # fmt: skip

    def __init__(self) -> None:
        self.rows: list[int] = []

    def scores(self, fed: Sequence[Fed]) -> list[np.ndarray]:
        assert len({len(x) for x, _ in fed}) == 1
        self.rows.append(len(fed[0][0]))
        return [x[:, 0, 0, :].astype(np.float64) for x, _ in fed]


def rows(*values: float) -> Fed:
    return np.array(values, np.float32).reshape(-1, 1, 1, 1), None


def test_windows_are_averaged_by_input_and_inputs_by_their_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_windows, "ROWS_AT_ONCE", 4)
    scorer = SumsOfRows()
    clips = [[rows(1, 2, 6), rows(9)], [rows(4), rows(1, 2)], [rows(*range(11)), rows(0, 2)]]
    found = [float(each[0]) for each in score_clips(scorer, clips)]
    assert found == pytest.approx([(2 * 3 + 9) / 3, (2 * 4 + 1.5) / 3, (2 * 5 + 1) / 3])
    assert max(scorer.rows) == 4
    assert sum(scorer.rows) == 3 + 2 + 11
