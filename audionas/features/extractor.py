"""What every extractor shares: its settings, the key of its cache, rate and length, and the loader's settings.

An extractor is its settings: a frozen record whose hash names its cache. Until `resolve` has seen the
corpus, rate and length may be "auto".
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from audionas.errors import SettingsError
from audionas.records import Record, to_json

LOADER_SETTINGS = frozenset({
    "train_windows", "train_shift_s", "test_windows", "test_shift_s", "normalise", "mask_padding",
})  # fmt: skip

Auto = Literal["auto"]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
StoredDtype = Literal["float32", "float16"]


class Extractor(Record):
    """From a waveform to (channels, features, frames).

    `crop: end` cuts the audio at its end before extraction; `crop: random` extracts the whole clip, from
    which the loader takes windows of the input's width. In training, one a clip and epoch at a random place
    (`train_windows: random`), or in each epoch `all` that start `train_shift_s` apart (default: half a
    window); in test the one at the `centre` or `multi`ple ones, `test_shift_s` apart (default: half a window or
    less, evenly), whose scores are averaged. The last window ends where the clip ends. `train_windows` to
    `mask_padding` are the loader's: they change no stored number and are not part of `key`.
    With `mask_padding` networks ignore the frames that are padding (see `own_frames`); else padding counts
    like anything else, and a network can learn a clip's length from it.
    """

    kind: ClassVar[str]
    version: ClassVar[int] = 1  # raised when the same settings come to give other numbers
    stored_dtype: ClassVar[StoredDtype] = "float32"

    sample_rate_hz: Annotated[int, Field(ge=1000)] | Auto = "auto"
    length_s: Positive | Auto = "auto"
    pool: Count = 1
    crop: Literal["end", "random"] = "random"
    train_windows: Literal["random", "all"] = "random"
    train_shift_s: Positive | None = None
    test_windows: Literal["centre", "multi"] = "centre"
    test_shift_s: Positive | None = None
    normalise: Literal["per_feature", "global", "none"] = "per_feature"
    mask_padding: bool = False

    @model_validator(mode="after")
    def _check_windows(self) -> Self:
        if self.train_shift_s is not None and self.train_windows == "random":
            raise ValueError("train_shift_s: is for train_windows: all")
        if self.test_shift_s is not None and self.test_windows == "centre":
            raise ValueError("test_shift_s: is for test_windows: multi")
        return self

    def settings(self) -> dict[str, Any]:
        """All settings, and the kind of extractor, as JSON values; `extractor_from_settings` reads them."""
        return {"extractor": self.kind, **self.model_dump(mode="json")}

    @property
    def key(self) -> str:
        """16 hex digits that change with the code's version and every setting that changes stored numbers."""
        left_out = self._left_out_of_key()
        kept = sorted(item for item in self.settings().items() if item[0] not in left_out)
        return hashlib.sha256(to_json([self.version, kept]).encode()).hexdigest()[:16]

    def _left_out_of_key(self) -> frozenset[str]:
        return LOADER_SETTINGS

    def resolve(self, sample_rate_hz: int, durations_s: Sequence[float]) -> Self:
        """The same extractor with no "auto" left, from the corpus's rate and the training durations.

        Raises:
            SettingsError: there are no durations, or a clip of this length gives no frame.
        """
        raise NotImplementedError

    def of_split(self, name: str) -> Self:
        """The same extractor for one outer split; another one where an encoder was trained without its test clips."""
        return self

    @property
    def is_resolved(self) -> bool:
        """Whether rate and length are numbers."""
        return self.sample_rate_hz != "auto" and self.length_s != "auto"

    @property
    def rate_hz(self) -> int:
        """The sample rate at which `__call__` wants its waveform; only once resolved."""
        if self.sample_rate_hz == "auto":
            raise self._unresolved()
        return self.sample_rate_hz

    @property
    def length_samples(self) -> int:
        """Samples that a network's input holds; only once resolved."""
        if self.length_s == "auto":
            raise self._unresolved()
        return round(self.length_s * self.rate_hz)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(channels, features, frames) of a network's input; only once resolved."""
        return (self.n_channels, self.n_features, self.n_frames(self.length_samples))

    @property
    def train_shift(self) -> int | None:
        """Frames from one training window of a clip to the next; None: one window, at random. Only once resolved."""
        if self.train_windows == "random":
            return None
        return self._shift("train_shift_s", self.train_shift_s) or max(self.input_shape[2] // 2, 1)

    @property
    def test_shift(self) -> int | None:
        """Frames from one test window to the next; None where `test_shift_s` is not given. Only once resolved."""
        return self._shift("test_shift_s", self.test_shift_s)

    def _check_shifts(self) -> None:
        """Refuse, once resolved, windows that leave audio out between them."""
        self._shift("train_shift_s", self.train_shift_s)
        self._shift("test_shift_s", self.test_shift_s)

    def _shift(self, name: str, shift_s: float | None) -> int | None:
        if shift_s is None:
            return None
        length_s = self.length_samples / self.rate_hz
        if shift_s > length_s:
            raise SettingsError(
                f"{self.kind}: {name}: got {shift_s:g}, must be at most length_s, {length_s:g}; between the windows "
                "audio would be left out"
            )
        return max(1, round(shift_s / length_s * self.input_shape[2]))

    @property
    def n_channels(self) -> int:
        """Feature maps of a clip."""
        return 1

    @property
    def n_features(self) -> int:
        """Rows of the feature map."""
        raise NotImplementedError

    def n_frames(self, n_samples: int) -> int:
        """Frames that `__call__` gives for a clip of so many samples at `rate_hz`."""
        raise NotImplementedError

    def front_end_parameters(self) -> int:
        """Weights of the encoder that makes these features, frozen; 0 where nothing was trained."""
        return 0

    def own_frames(self, n_samples: int) -> int:
        """How many of these frames, the first ones, come from the clip and not from padding; at least 1."""
        raise NotImplementedError

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        """Features of one clip: (samples,), float32, at `rate_hz`, to (channels, features, frames), float32."""
        raise NotImplementedError

    def _unresolved(self) -> SettingsError:
        return SettingsError(f"{self.kind}: rate or length is still auto; call resolve(rate, durations) first")
