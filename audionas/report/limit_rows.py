"""The rows of the page about hard limits: what they were, and what the network found costs."""

from __future__ import annotations

from audionas.models.limits_record import read_limits
from audionas.quantities import count_text, ms_text
from audionas.report.run_files import JsonObject

_TEXTS = {
    "max_parameters": "{:,} parameters",
    "max_macs_per_second": "{:,.0f} MACs per second of audio",
    "max_latency_ms": "{:g} ms latency (median)",
    "max_memory_mb": "{:g} MB memory of inference",
}


def limit_rows(run: JsonObject) -> list[tuple[str, str]]:
    """Limits, costs of the genotype's network and refused candidates, from a search's run.json; none without limits.

    Raises:
        SettingsError: the limits on record are none that a search writes.
    """
    limits, costs = read_limits(run.get("limits"), "run.json"), run.get("network_costs") or {}
    if not limits:
        return []
    rows = [("hard limits", "at most " + ", ".join(_TEXTS[name].format(value) for name, value in limits.items()))]
    if costs:
        rows.append(("the network found", _costs_text(costs)))
    if run.get("refused"):
        rows.append(("over the limits", f"{count_text(run['refused'], 'candidate')}, not trained"))
    return rows


def _costs_text(costs: JsonObject) -> str:
    text = f"{costs['parameters']:,} parameters, {costs['macs_per_second']:,.0f} MACs per second of audio, "
    text += f"{costs['memory_mb']:.3g} MB memory of inference"
    latency = costs.get("latency")
    if latency:
        text += (
            f", latency median {ms_text(latency['median_ms'])} and p95 {ms_text(latency['p95_ms'])} for "
            f"{latency['length_s']:.2f} s of audio (real-time factor {latency['real_time_factor']:.2g}; "
            f"{latency['device']}, batch 1, one thread, features included)"
        )
    return text
