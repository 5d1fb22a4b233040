"""Asynchronous successive halving and Hyperband as an NNI strategy: no rung waits to be full, nothing sleeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nni.nas.execution.event import ModelEventType, TrainingEndEvent
from nni.nas.strategy import Strategy
from numpy.random import RandomState

from audionas.search.rungs import Bracket, make_rungs
from audionas.search.trials import Fidelity
from audionas.seeding import derive

MakeBrackets = Callable[[tuple[Fidelity, ...], int], Iterator[Bracket]]


@dataclass(frozen=True)
class _Place:
    """Where a model under way belongs."""

    bracket: Bracket
    rung: int


class AsyncHalving(Strategy):  # type: ignore[misc]
    """Promotes whenever one can be promoted, else begins a new candidate, while the budget lasts."""

    def __init__(self, brackets: MakeBrackets, *, by: str, eta: int, rungs: int, seed: int) -> None:
        super().__init__()
        self._make, self._by, self._eta, self._n_rungs, self._seed = brackets, by, eta, rungs, seed
        self._brackets: list[Bracket] = []
        self._under_way: dict[Any, _Place] = {}
        self._n_candidates = 0
        self._is_climbed = False  # a whole training has begun

    def _initialize(self, model_space: Any, engine: Any) -> Any:
        engine.register_model_event_callback(ModelEventType.TrainingEnd, self._on_end)
        return model_space

    def _cleanup(self) -> None:
        self.engine.unregister_model_event_callback(ModelEventType.TrainingEnd, self._on_end)

    def _run(self) -> None:
        rungs = make_rungs(self.engine.budget, self._by, self._eta, self._n_rungs)
        more = self._make(rungs, self._eta)
        self._brackets.append(next(more))
        while self.wait_for_resource():
            found = self._promotion() or self._candidate(more, keeps_a_climb=not self._is_climbed)
            if found is None and self._under_way:
                self.engine.wait_for_one()  # whichever ends first: the oldest may hang
                continue
            found = found or self._candidate(more)
            if found is None:
                break
            self.engine.submit_models(found)
        self.engine.wait_models()

    def _promotion(self) -> Any | None:
        """The next promotion that the budget allows, as a model, from the oldest bracket that has one."""
        for bracket in self._brackets:
            for promotion in bracket.promotions():
                fidelity = bracket.rungs[promotion.rung]
                if self._fits(fidelity, 0.0 if self._is_climbed else self._climb(bracket, promotion.rung)):
                    bracket.promote(promotion)
                    model = self.model_space.freeze(dict(promotion.sample))
                    return self._placed(model, fidelity, _Place(bracket, promotion.rung))
        return None

    def _candidate(self, more: Iterator[Bracket], keeps_a_climb: bool = False) -> Any | None:
        """A new draw at the lowest rung of the newest bracket with room, if the budget allows it.

        With `keeps_a_climb` it has to leave what the way up the rungs of the first bracket costs: with several workers,
        candidates that begin while others are waited for would else use up the budget before any is trained whole.
        """
        kept = self._climb(self._brackets[0], 0) if keeps_a_climb else 0.0
        if not self._brackets[-1].has_room:
            if keeps_a_climb and self._under_way and not self._fits(self._brackets[0].rungs[-1], kept):
                return None  # too little for another bracket before this one has climbed
            bracket = next(more, None)
            if bracket is None:
                return None
            self._brackets.append(bracket)
        bracket = self._brackets[-1]
        if not self._fits(bracket.rungs[0], kept):
            return None
        bracket.open()
        state = RandomState(derive(self._seed, "candidate", self._n_candidates) % 2**32)
        self._n_candidates += 1
        return self._placed(self.model_space.random(random_state=state), bracket.rungs[0], _Place(bracket, 0))

    def _placed(self, model: Any, fidelity: Fidelity, place: _Place) -> Any:
        model.fidelity = fidelity
        self._is_climbed |= place.rung == len(place.bracket.rungs) - 1
        self._under_way[model] = place
        return model

    def _fits(self, fidelity: Fidelity, kept: float) -> bool:
        """Whether the budget has room for a training, and for `kept` whole trainings after it."""
        return bool(fidelity.cost(self.engine.budget.epochs) + kept <= self.engine.left + 1e-9)

    def _climb(self, bracket: Bracket, rung: int) -> float:
        """What must at least begin above a rung until a candidate is trained whole, in whole trainings."""
        return sum(n * fidelity.cost(self.engine.budget.epochs) for n, fidelity in bracket.climb(rung))

    def _on_end(self, event: TrainingEndEvent) -> None:
        place = self._under_way.pop(event.model)
        trial = event.model.trial
        if place.rung == 0:
            place.bracket.close()
        if trial is not None:
            rank = trial.rank(self.engine.objective) if trial.score else None
            place.bracket.note(place.rung, trial.hash, trial.sample, rank)
