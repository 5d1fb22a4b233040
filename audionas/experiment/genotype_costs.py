"""What the network of a genotype file costs on the features of its search: sizes, MACs, memory, latency."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audionas.errors import GenotypeError
from audionas.features import extractor_from_settings
from audionas.models.meter import Meter, Place
from audionas.quantities import count_text, ms_text
from audionas.spaces.genotype_file import read_genotype_file
from audionas.training.devices import gpu_index


def genotype_costs(path: Path, device: str = "cpu") -> dict[str, Any]:
    """Parameters, MACs of a clip and per second of audio, memory of inference in MB, latency; as JSON.

    Args:
        path: a genotype file, or the run folder of a search.

    Raises:
        GenotypeError: the file does not say which features and labels its network is for.
        SettingsError: there is no such device.
    """
    gpu_index(device)
    file = path / "genotype.json" if path.is_dir() else path
    found = read_genotype_file(file)
    known = found.provenance
    if not known.get("features") or not known.get("labels"):
        raise GenotypeError(
            f"{file}: does not say which features and labels it was found on, so its network's input is not known; "
            "take the genotype.json that a search has written"
        )
    extractor = extractor_from_settings(dict(known["features"]), f"{file}: provenance.features")
    meter = Meter(Place(extractor, len(known["labels"]), device))
    genotype = found.genotype
    return {
        "parameters": meter.parameters(genotype),
        "macs": meter.macs(genotype),
        "macs_per_second": meter.macs_per_second(genotype),
        "memory_mb": round(meter.memory_mb(genotype), 4),
        "input_shape": list(extractor.input_shape),
        "n_outputs": len(known["labels"]),
        "latency": meter.latency(genotype).as_record(),
    }


def cost_lines(costs: dict[str, Any]) -> list[str]:
    """The same for people."""
    latency, shape = costs["latency"], "x".join(map(str, costs["input_shape"]))
    return [
        f"{costs['parameters']:,} parameters; {costs['macs']:,} MACs a clip, {costs['macs_per_second']:,.0f} per "
        f"second of audio; {costs['memory_mb']:.3g} MB memory of inference ({shape} input, "
        f"{latency['length_s']:.2f} s; {count_text(costs['n_outputs'], 'output')})",
        f"latency median {ms_text(latency['median_ms'])}, p95 {ms_text(latency['p95_ms'])}, real-time factor "
        f"{latency['real_time_factor']:.2g} ({latency['device']}, batch 1, one thread, features included, "
        f"{latency['n_runs']} runs)",
    ]
