"""Values that settings of algorithms may take; by name, since a name means the same in every algorithm."""

from __future__ import annotations

import math

RANGES: dict[str, tuple[float, float, str]] = {
    "arc_beta1": (0.0, 0.999999, "from 0 to below 1"),
    "arc_beta2": (0.0, 0.999999, "from 0 to below 1"),
    "arc_learning_rate": (0.0, 10.0, "from 0 to 10"),
    "arc_weight_decay": (0.0, math.inf, "0 or more"),
    "baseline_decay": (0.0, 0.999999, "from 0 to below 1"),
    "candidates": (1, 100_000, "from 1 to 100000"),
    "collapse_eigenvalue": (0.0, 1.0, "from 0 (off) to 1"),
    "collapse_skips": (0, math.inf, "0 (off) or more"),
    "controller_learning_rate": (0.0, 10.0, "from 0 to 10"),
    "draws": (1, 100_000, "from 1 to 100000"),
    "entropy_weight": (0.0, math.inf, "0 or more"),
    "first_temperature": (1e-3, 1e3, "from 0.001 to 1000"),
    "gamma": (1e-6, 1e3, "above 0, to 1000"),
    "generations": (1, 100_000, "from 1 to 100000"),
    "gradient_clip": (1e-12, math.inf, "above 0"),
    "hidden": (1, 100_000, "from 1 to 100000"),
    "last_temperature": (1e-3, 1e3, "from 0.001 to 1000"),
    "linear_forgetting": (1, math.inf, "1 or more"),
    "mutation": (0.0, 1.0, "from 0 to 1"),
    "mutations": (1, 1000, "from 1 to 1000"),
    "parents": (1, 100_000, "from 1 to 100000"),
    "partial": (1, 1024, "from 1 (all channels) to 1024"),
    "paths": (1, 1000, "from 1 to 1000"),
    "policy_learning_rate": (0.0, 10.0, "from 0 to 10"),
    "population": (2, 100_000, "from 2 to 100000"),
    "prior_weight": (1e-6, 1e6, "above 0, to 1000000"),
    "repeats": (1, 1000, "from 1 to 1000"),
    "sample": (1, 100_000, "from 1 to the population"),
    "samples": (1, 100_000, "from 1 to 100000"),
    "samples_per_update": (2, 100_000, "from 2 to 100000"),
    "startup_trials": (2, 100_000, "from 2 to 100000"),
    "warmup": (0.0, 0.99, "from 0 to 0.99"),
    "zero_one_weight": (0.0, math.inf, "0 or more"),
}
