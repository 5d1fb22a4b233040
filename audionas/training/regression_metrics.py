"""Concordance correlation (CCC) and root mean squared error (RMSE) of each target, and their means over targets.

CCC = 2 cov(x, y) / (var x + var y + (mean x - mean y)^2), with population variances: correlation, lowered by what the
predictions are off in level and spread. Source: Lin, "A Concordance Correlation Coefficient to Evaluate
Reproducibility", Biometrics 1989, equation 2; the measure of emotion dimensions since AVEC 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from audionas.training.metrics import Primary


def concordance(truth: np.ndarray, predicted: np.ndarray) -> float:
    """CCC of (clips,) against (clips,); 0 where neither varies, for there is nothing to agree on."""
    x, y = np.asarray(truth, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    spread = x.var() + y.var() + (x.mean() - y.mean()) ** 2
    return float(2 * ((x - x.mean()) * (y - y.mean())).mean() / spread) if spread > 0 else 0.0


@dataclass(frozen=True, eq=False)
class RegressionMetrics:
    """Scores of predicted (clips, targets) against true ones, both in the targets' own units."""

    labels: tuple[str, ...]
    truth: np.ndarray
    predicted: np.ndarray

    @property
    def n_clips(self) -> int:
        """Number of clips scored."""
        return len(self.truth)

    @property
    def absent_classes(self) -> tuple[str, ...]:
        """None: a target has no classes."""
        return ()

    @property
    def cccs(self) -> dict[str, float]:
        """CCC of each target, in [-1, 1]."""
        return {
            name: concordance(self.truth[:, i], self.predicted[:, i]) for i, name in enumerate(self.labels)
        }  # fmt: skip

    @property
    def rmses(self) -> dict[str, float]:
        """RMSE of each target, in its unit."""
        errors = np.asarray(self.truth, dtype=np.float64) - self.predicted
        return dict(zip(self.labels, np.sqrt((errors**2).mean(axis=0)).tolist(), strict=True))

    @property
    def primary(self) -> Primary:
        """Mean CCC."""
        return Primary("ccc", self.scores["ccc"])

    @property
    def scores(self) -> dict[str, float]:
        """Mean CCC and mean RMSE over targets."""
        return {"ccc": float(np.mean(list(self.cccs.values()))), "rmse": float(np.mean(list(self.rmses.values())))}

    def as_record(self) -> dict[str, Any]:
        """JSON form."""
        cccs, rmses, truth = self.cccs, self.rmses, np.asarray(self.truth, dtype=np.float64)
        targets = {
            name: {"ccc": cccs[name], "rmse": rmses[name], "mean": truth[:, i].mean(), "sd": truth[:, i].std()}
            for i, name in enumerate(self.labels)
        }
        return {"n_clips": self.n_clips, **self.scores, "targets": targets, "absent_classes": []}

    @staticmethod
    def pool(parts: Sequence[RegressionMetrics]) -> RegressionMetrics:
        """Scores of the clips of all parts together."""
        truth, predicted = ([getattr(part, name) for part in parts] for name in ("truth", "predicted"))
        return RegressionMetrics(parts[0].labels, np.concatenate(truth), np.concatenate(predicted))
