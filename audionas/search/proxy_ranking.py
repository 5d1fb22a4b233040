"""`ProxyRanking`: random candidates scored without training, best first; `proxies.jsonl` keeps the scores.

Draw n of a search is keyed by its seed and n, so a search that was killed goes on with the next one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from audionas.errors import RunError, SettingsError
from audionas.records import append_jsonl, read_jsonl, rewrite_jsonl
from audionas.search.engines import Evaluator
from audionas.search.proxies import check_proxy, suited_proxy
from audionas.seeding import derive, generator
from audionas.spaces import Genotype, SearchSpace
from audionas.training.ledger import count, step

FILE_NAME = "proxies.jsonl"
N_TRIES = 20  # draws for each candidate that is asked for, before the space counts as exhausted
Sample = dict[str, str]


@runtime_checkable
class ScoresWithoutTraining(Protocol):
    """An evaluator that computes zero-cost proxies; a table of trained cells may hold them too."""

    def proxy(self, genotype: Genotype, name: str, *, seed: int) -> float:
        """The proxy of one candidate; more is better."""
        ...


class ProxyRanking:
    """Draws candidates of a space and ranks them by a proxy. Without a run folder no score is kept."""

    def __init__(self, space: SearchSpace, evaluator: Evaluator, seed: int, run: Path | None) -> None:
        self._space, self._evaluator, self._seed = space, evaluator, seed
        self._path = run and run / FILE_NAME

    def best_first(self, proxy: str, draws: int) -> list[Sample]:
        """Up to `draws` samples of different architectures, those of the highest proxy first; of equals the earlier.

        Raises:
            SettingsError: the proxy is unknown or has no meaning here, or this evaluator computes none.
            RunError: the file holds the scores of another search.
        """
        proxy = suited_proxy(proxy, self._space)
        check_proxy(proxy, self._space.kind)
        if not isinstance(self._evaluator, ScoresWithoutTraining):
            raise SettingsError(f"proxy {proxy!r}: {type(self._evaluator).__name__} computes no zero-cost proxies")
        known = self._kept()
        scored: list[tuple[float, int, Sample]] = []
        with step("proxies"):
            for number, sample, genotype in self._candidates(draws):
                line = known[len(scored)] if len(scored) < len(known) else None
                if line is None:
                    line = self._scored(proxy, number, sample, genotype, self._evaluator)
                elif (line.get("number"), line.get("proxy"), line.get("hash")) != (number, proxy, genotype.hash):
                    raise RunError(f"{self._path}: draw {number} is of another search; remove the file")
                score = line.get("score")
                if not isinstance(score, int | float | None):
                    raise RunError(
                        f"{self._path}: draw {number}: score: got {score!r}, must be a number; remove the file"
                    )
                value = -math.inf if score is None else float(score)
                scored.append((-value, number, sample))
        return [sample for _, _, sample in sorted(scored, key=lambda each: each[:2])]

    def _kept(self) -> list[Any]:
        """The lines of a run that was stopped."""
        if self._path is None:
            return []
        known = read_jsonl(self._path)
        rewrite_jsonl(self._path, known)
        return known

    def _candidates(self, draws: int) -> Iterator[tuple[int, Sample, Genotype]]:
        """Draws with their numbers; an architecture that was drawn before is passed over."""
        choices, seen = self._space.choices(), set[str]()
        for number in range(draws * N_TRIES):
            rng = generator(self._seed, "proxy draw", number)
            sample = {label: str(rng.choice(options)) for label, options in choices.items()}
            genotype = self._space.genotype(sample)
            if genotype.hash not in seen:
                seen.add(genotype.hash)
                yield number, sample, genotype
            if len(seen) == draws:
                return

    def _scored(
        self, proxy: str, number: int, sample: Sample, genotype: Genotype, evaluator: ScoresWithoutTraining
    ) -> dict[str, Any]:
        value = evaluator.proxy(genotype, proxy, seed=derive(self._seed, "proxy", genotype.hash))
        count(compared=1)
        line = {"number": number, "proxy": proxy, "hash": genotype.hash, "sample": sample,
                "score": value if math.isfinite(value) else None}  # fmt: skip
        if self._path is not None:
            append_jsonl(self._path, line)
        return line
