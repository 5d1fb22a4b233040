"""Hard limits on the networks of a search: parameters, MACs a second of audio, memory and latency of inference.

What each cost is: `audionas.models.macs`, `.memory`, `.latency`. Of the latency the median is limited.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audionas.errors import SettingsError
from audionas.models.limits_record import read_limits
from audionas.models.meter import Meter
from audionas.quantities import ms_text
from audionas.spaces import Genotype

FLAGS = {
    "max_parameters": "--max-parameters",
    "max_macs_per_second": "--max-macs-per-second",
    "max_latency_ms": "--max-latency-ms",
    "max_memory_mb": "--max-memory-mb",
}


@dataclass(frozen=True)
class Limits:
    """The most that a network may cost; None is no limit. `refusal` measures the cheap costs first.

    Raises:
        SettingsError: a limit is not above 0.
    """

    max_parameters: int | None = None
    max_macs_per_second: float | None = None
    max_latency_ms: float | None = None
    max_memory_mb: float | None = None

    def __post_init__(self) -> None:
        for name, value in self.as_record().items():
            if not value > 0:
                raise SettingsError(f"{FLAGS[name]}: got {value:g}, must be above 0; leave it out for no limit")

    def __bool__(self) -> bool:
        return bool(self.as_record())

    @staticmethod
    def of_record(record: object, where: str = "run.json") -> Limits:
        """The limits that `as_record` gave; none where there is no record (None).

        Raises:
            SettingsError: it is none that `as_record` gives, e.g. edited by hand; `where` is its file.
        """
        return Limits(**read_limits(record, where))

    def as_record(self) -> dict[str, Any]:
        """JSON form: the limits that are set."""
        values = {name: getattr(self, name) for name in FLAGS}
        return {name: value for name, value in values.items() if value is not None}

    def refusal(self, genotype: Genotype, meter: Meter) -> str | None:
        """Why the network of a genotype is over a limit, such as "parameters 123,456 > 100,000"; None if it is not."""
        if self.max_parameters is not None and meter.parameters(genotype) > self.max_parameters:
            return f"parameters {meter.parameters(genotype):,} > {self.max_parameters:,}"
        if self.max_macs_per_second is not None and meter.macs_per_second(genotype) > self.max_macs_per_second:
            return f"MACs per second {meter.macs_per_second(genotype):,.0f} > {self.max_macs_per_second:,.0f}"
        if self.max_memory_mb is not None and meter.memory_mb(genotype) > self.max_memory_mb:
            return f"memory {meter.memory_mb(genotype):.3g} MB > {self.max_memory_mb:g} MB"
        if self.max_latency_ms is not None and meter.latency(genotype).median_ms > self.max_latency_ms:
            return f"latency {ms_text(meter.latency(genotype).median_ms)} > {ms_text(self.max_latency_ms)}"
        return None

    def exceeded(self, genotype: Genotype, meter: Meter) -> Callable[[Genotype], float] | None:
        """What measures the first limit that a genotype is over; of latency, MACs stand for it. None within all."""
        if self.max_parameters is not None and meter.parameters(genotype) > self.max_parameters:
            return meter.parameters
        if self.max_macs_per_second is not None and meter.macs_per_second(genotype) > self.max_macs_per_second:
            return meter.macs
        if self.max_memory_mb is not None and meter.memory_mb(genotype) > self.max_memory_mb:
            return meter.memory_mb
        return meter.macs if self.refusal(genotype, meter) else None

    def __str__(self) -> str:
        texts = {
            "max_parameters": "{:,} parameters", "max_macs_per_second": "{:,.0f} MACs per second of audio",
            "max_latency_ms": "{:g} ms latency (median)", "max_memory_mb": "{:g} MB memory",
        }  # fmt: skip
        found = [texts[name].format(value) for name, value in self.as_record().items()]
        return f"at most {', '.join(found)}" if found else "none"


@dataclass(frozen=True, eq=False)
class LimitCheck:
    """Limits, and the meter of the place where the networks of a search are to run."""

    limits: Limits
    meter: Meter

    def refusal(self, genotype: Genotype) -> str | None:
        """See `Limits.refusal`; each genotype is measured once."""
        return self.limits.refusal(genotype, self.meter)

    def costs(self, genotype: Genotype) -> dict[str, Any]:
        """What the network of a genotype costs, as JSON; its latency only where that is limited."""
        meter = self.meter
        found: dict[str, Any] = {
            "parameters": meter.parameters(genotype), "macs": meter.macs(genotype),
            "macs_per_second": meter.macs_per_second(genotype), "memory_mb": round(meter.memory_mb(genotype), 4),
        }  # fmt: skip
        if self.limits.max_latency_ms is not None:
            found["latency"] = meter.latency(genotype).as_record()
        return found
