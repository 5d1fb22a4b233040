"""What engines with several workers accept."""

from __future__ import annotations

import math

from audionas.errors import SettingsError
from audionas.search.engines.contract import EngineOptions

MAX_WORKERS = 1024


def check_pool(options: EngineOptions) -> None:
    """Refuse numbers that no pool of workers can have.

    Raises:
        SettingsError: fewer than 1 worker or more than 1024, or a timeout that is no time.
    """
    if not 1 <= options.workers <= MAX_WORKERS:
        raise SettingsError(f"--workers: got {options.workers}, must be 1 to {MAX_WORKERS}")
    if options.timeout_s is not None and not (options.timeout_s > 0 and math.isfinite(options.timeout_s)):
        raise SettingsError(f"--timeout: got {options.timeout_s:g}, must be seconds above 0; leave it out for none")
