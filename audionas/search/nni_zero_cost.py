"""Candidates in the order of a zero-cost proxy: as an NNI strategy of its own, and as the warm start of any other."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from nni.nas.space import SimplifiedModelSpace
from nni.nas.strategy import Strategy


class ZeroCost(Strategy):  # type: ignore[misc]
    """Proposes the drawn candidates, best proxy first, while the budget lasts."""

    def __init__(self, proxy: str, draws: int) -> None:
        super().__init__()
        self._proxy, self._draws = proxy, draws

    def _run(self) -> None:
        for sample in self.engine.ranking.best_first(self._proxy, self._draws):
            if not self.wait_for_resource():
                break
            self.engine.submit_models(self.model_space.freeze(sample))
        self.engine.wait_models()


class WarmStarted(SimplifiedModelSpace):  # type: ignore[misc]
    """A model space whose first random draws are given: whatever a strategy begins with at random begins with them."""

    starts: deque[dict[str, str]]

    def start_with(self, samples: Sequence[dict[str, str]]) -> WarmStarted:
        """Give these samples as the next random draws; returns the space itself."""
        self.starts = deque(samples)
        return self

    def random(self, memo: Any = None, random_state: Any = None) -> Any:
        """The next given sample, or a random one where none is left."""
        sample = next_start(self)
        if sample is None:
            return super().random(memo, random_state)
        if memo is not None:
            memo.update(sample)
        return self.freeze(sample)


def next_start(model_space: Any) -> dict[str, str] | None:
    """The next given draw of a model space; None where none is left. For strategies that draw samples themselves."""
    starts = getattr(model_space, "starts", None)
    return starts.popleft() if starts else None
