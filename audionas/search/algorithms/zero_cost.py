"""Zero-cost ranking: many random candidates are scored without training, the best of them are trained.

Source: Abdelfattah, Mehrotra, Dudziak, Lane 2021, "Zero-Cost Proxies for Lightweight NAS", section 4; the proxies stand
in `audionas.search.proxies`.
"""

from __future__ import annotations

from typing import Any

from audionas.errors import SettingsError


def build(*, seed: int, proxy: str = "auto", draws: int = 100) -> Any:  # noqa: ARG001
    """Trains candidates in the order of a proxy; what is drawn comes from the search's own seed.

    Args:
        proxy: `synflow`, `naswot`, `grad_norm`, `parameters`, or `auto`: synflow where the space lets it through (no
            gates, no recurrent cells), else grad_norm.
        draws: how many candidates are scored.

    Raises:
        SettingsError: a setting is out of range.
    """
    from audionas.search.nni_zero_cost import ZeroCost

    check(proxy=proxy, draws=draws)
    return ZeroCost(proxy, draws)


def check(*, proxy: str = "auto", draws: int = 100) -> None:
    """Refuse settings that are out of range."""
    from audionas.search.proxies import check_proxy

    check_proxy(proxy)
    if not 1 <= draws <= 1_000_000:
        raise SettingsError(f"settings.draws: got {draws}, must be 1 to 1000000")
