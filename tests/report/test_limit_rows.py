"""The rows about hard limits: limits, what the network costs, who was refused."""

from __future__ import annotations

from audionas.report.limit_rows import limit_rows

LATENCY = {"median_ms": 12.34, "p95_ms": 20.0, "real_time_factor": 0.00308, "length_s": 4.0, "device": "cpu"}
COSTS = {"parameters": 1208, "macs_per_second": 444932.6, "memory_mb": 0.4039}


def test_a_search_without_limits_has_no_rows() -> None:
    assert limit_rows({"network_costs": COSTS}) == []


def test_limits_costs_and_refused_candidates_stand_in_the_page() -> None:
    run = {"limits": {"max_parameters": 1500, "max_latency_ms": 20}, "network_costs": COSTS, "refused": 1}
    assert limit_rows(run) == [
        ("hard limits", "at most 1,500 parameters, 20 ms latency (median)"),
        ("the network found", "1,208 parameters, 444,933 MACs per second of audio, 0.404 MB memory of inference"),
        ("over the limits", "1 candidate, not trained"),
    ]
    text = limit_rows(run | {"network_costs": COSTS | {"latency": LATENCY}})[1][1]
    assert text.endswith(
        "latency median 12.3 ms and p95 20 ms for 4.00 s of audio (real-time factor 0.0031; cpu, batch 1, one thread, "
        "features included)"
    )


def test_a_search_that_is_still_running_shows_its_limits() -> None:
    assert limit_rows({"limits": {"max_memory_mb": 2}}) == [("hard limits", "at most 2 MB memory of inference")]
