"""`FrontEndMeter`: what a candidate of a macro space costs on the features that it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from audionas.models.latency import Latency
from audionas.models.meter import Meter
from audionas.search.front_end_evaluator import front_end_key
from audionas.spaces import Genotype


@dataclass(frozen=True, eq=False)
class FrontEndMeter(Meter):
    """Hands a genotype to the meter of its front-end; `place` is that of the first."""

    by_front_end: Mapping[str, Meter] = field(default_factory=dict)

    def parameters(self, genotype: Genotype) -> int:
        """Trainable weights."""
        return self._of(genotype).parameters(genotype)

    def macs(self, genotype: Genotype) -> int:
        """Multiply-accumulates of one clip that fills the whole input."""
        return self._of(genotype).macs(genotype)

    def macs_per_second(self, genotype: Genotype) -> float:
        """Multiply-accumulates over the seconds of audio that the input holds."""
        return self._of(genotype).macs_per_second(genotype)

    def memory_mb(self, genotype: Genotype) -> float:
        """Memory of inference in MB of 2^20 bytes."""
        return self._of(genotype).memory_mb(genotype)

    def latency(self, genotype: Genotype) -> Latency:
        """Time of one clip, its own features included."""
        return self._of(genotype).latency(genotype)

    def _of(self, genotype: Genotype) -> Meter:
        return self.by_front_end[front_end_key(genotype)]


def front_end_meter(meters: Mapping[str, Meter]) -> Meter:
    """The meter of a space with these front-ends; of one with the features of its space alone, that one."""
    first = next(iter(meters.values()))
    return first if list(meters) == [""] else FrontEndMeter(first.place, by_front_end=meters)
