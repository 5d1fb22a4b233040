"""NNI's sequential engine, with failed trials told apart from defects."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from nni.nas.execution import SequentialExecutionEngine


class TrialFailedError(Exception):
    """A trial ended without a score; the search goes on."""


class InProcessEngine(SequentialExecutionEngine):  # type: ignore[misc]
    """Runs trials one after another here. NNI would either stop at a failed trial or swallow every error."""

    def _run_single_model(self, model: Any) -> None:
        with suppress(TrialFailedError):  # NNI has marked the model as failed and told the strategy
            super()._run_single_model(model)
