"""`mfcc`: mel-frequency cepstral coefficients."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator

from audionas.features.log_mel import LogMel, with_deltas


class Mfcc(LogMel):
    """The first `n_mfcc` values of the orthonormal cosine transform (type 2) of mel bands in dB.

    Source: `librosa.feature.mfcc`, but without its limit of 80 dB below each clip's loudest value.
    """

    kind: ClassVar[str] = "mfcc"

    n_mfcc: Annotated[int, Field(ge=1)] = 20
    log: Literal["db", "natural"] = "db"

    @model_validator(mode="after")
    def _check_count(self) -> Self:
        if self.n_mfcc > self.n_mels:
            raise ValueError(f"n_mfcc {self.n_mfcc} must not exceed n_mels {self.n_mels}")
        return self

    @property
    def n_features(self) -> int:
        """One row a coefficient."""
        return self.n_mfcc

    def _features(self, spectrum: torch.Tensor) -> torch.Tensor:
        return with_deltas(cosines(self.n_mfcc, self.n_mels) @ self._bands(spectrum), self.deltas)


@lru_cache(maxsize=8)
def cosines(n_mfcc: int, n_mels: int) -> torch.Tensor:
    """(coefficients, mel bands): the first rows of the orthonormal DCT-II matrix."""
    rows = torch.arange(n_mfcc, dtype=torch.float64).unsqueeze(1)
    columns = torch.arange(n_mels, dtype=torch.float64)
    matrix: torch.Tensor = torch.cos(torch.pi / n_mels * (columns + 0.5) * rows) * (2 / n_mels) ** 0.5
    matrix[0] *= 0.5**0.5
    return matrix.float()
