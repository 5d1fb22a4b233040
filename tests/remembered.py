"""Three pure functions that remember what they gave: hundreds of tiny runs ask them for the same.

Every retraining of a test counts the same networks and fits the same plain systems to the same clips, which
takes longer than the trainings themselves. Whatever differs in the input is computed; what tests call directly in
`audionas.training.plain_baselines`, `functionals_svm` and `audionas.models.macs` is not touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from audionas.experiment import known_macs
from audionas.models.frame_network import FrameNetwork
from audionas.models.macs import n_macs
from audionas.training import plain_baselines, task_baselines


def remember(patched: pytest.MonkeyPatch) -> None:
    """Until the patch is undone."""
    _remember_fits(patched)
    _remember_machines(patched)
    _remember_macs(patched)


def _remember_fits(patched: pytest.MonkeyPatch) -> None:
    known: dict[tuple[object, ...], Any] = {}
    fit = plain_baselines._fit_logistic

    def remembered(inputs: np.ndarray, targets: np.ndarray, groups: np.ndarray, seed: int) -> Any:
        key = (inputs.shape, inputs.dtype.str, inputs.tobytes(), targets.tobytes(), tuple(groups.tolist()), seed)
        if key not in known:
            known[key] = fit(inputs, targets, groups, seed)
        return known[key]

    patched.setattr(plain_baselines, "_fit_logistic", remembered)


def _remember_machines(patched: pytest.MonkeyPatch) -> None:
    known: dict[tuple[object, ...], np.ndarray] = {}
    scores = task_baselines.svm_scores

    def remembered(task: str, functionals: np.ndarray, targets: np.ndarray, groups: np.ndarray, *rest: Any) -> Any:
        key = (task, functionals.tobytes(), targets.tobytes(), tuple(groups.tolist()), repr(rest))
        if key not in known:
            known[key] = scores(task, functionals, targets, groups, *rest)
        return known[key].copy()

    patched.setattr(task_baselines, "svm_scores", remembered)


def _remember_macs(patched: pytest.MonkeyPatch) -> None:
    """The layers of a CNN, as they are printed, with the shape of its input tell the count."""
    known: dict[tuple[str, tuple[int, ...]], int] = {}

    def remembered(network: Any, input_shape: Sequence[int]) -> int:
        if isinstance(network, FrameNetwork):
            return n_macs(network, input_shape)
        key = (str(network), tuple(input_shape))
        if key not in known:
            known[key] = n_macs(network, input_shape)
        return known[key]

    patched.setattr(known_macs, "n_macs", remembered)
