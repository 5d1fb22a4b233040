"""`Meter`: measures what the network of a genotype costs where it is to run; each genotype once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from audionas.features import Extractor
from audionas.models import build_model, n_parameters
from audionas.models.latency import Latency, measure_latency
from audionas.models.macs import n_macs
from audionas.models.memory import inference_bytes
from audionas.spaces import Genotype

MB = 2**20


@dataclass(frozen=True)
class Place:
    """Where a network is to run: after which (resolved) features, with how many outputs, on which device."""

    extractor: Extractor
    n_outputs: int
    device: str = "cpu"

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(channels, features, frames) of the network's input."""
        return self.extractor.input_shape

    @property
    def length_s(self) -> float:
        """Seconds of audio that the network's input holds."""
        return self.extractor.length_samples / self.extractor.rate_hz


@dataclass(frozen=True, eq=False)
class Meter:
    """Measures networks of one place. Isomorphic genotypes count as one; torch's chance is left as it was."""

    place: Place
    timer: Callable[..., Latency] = measure_latency
    _found: dict[tuple[str, str], float] = field(default_factory=dict)
    _latencies: dict[str, Latency] = field(default_factory=dict)

    def parameters(self, genotype: Genotype) -> int:
        """Trainable weights."""
        return int(self._once("parameters", genotype, lambda: n_parameters(self._shapes(genotype))))

    def macs(self, genotype: Genotype) -> int:
        """Multiply-accumulates of one clip that fills the whole input."""
        return int(self._once("macs", genotype, lambda: n_macs(self._shapes(genotype), self.place.input_shape)))

    def macs_per_second(self, genotype: Genotype) -> float:
        """Multiply-accumulates over the seconds of audio that the input holds."""
        return self.macs(genotype) / self.place.length_s

    def memory_mb(self, genotype: Genotype) -> float:
        """Memory of inference in MB of 2^20 bytes, see `audionas.models.memory`."""
        shape = self.place.input_shape
        return self._once("memory", genotype, lambda: inference_bytes(self._shapes(genotype), shape) / MB)

    def latency(self, genotype: Genotype) -> Latency:
        """Time of one clip on the place's device, see `audionas.models.latency`."""
        if genotype.hash not in self._latencies:
            with torch.random.fork_rng(devices=[]):
                network = build_model(genotype, input_shape=self.place.input_shape, n_classes=self.place.n_outputs)
            self._latencies[genotype.hash] = self.timer(network, self.place.extractor, self.place.device)
        return self._latencies[genotype.hash]

    def _once(self, what: str, genotype: Genotype, measure: Callable[[], float]) -> float:
        key = (what, genotype.hash)
        if key not in self._found:
            self._found[key] = measure()
        return self._found[key]

    def _shapes(self, genotype: Genotype) -> torch.nn.Module:
        """The network without values."""
        with torch.device("meta"):
            return build_model(genotype, input_shape=self.place.input_shape, n_classes=self.place.n_outputs)
