"""`WarmStart`: a strategy's first proposals are random candidates that a zero-cost proxy found best."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from audionas.errors import SettingsError
from audionas.records import Record
from audionas.search.proxies import check_proxy

# These do not begin with random draws.
COLD = ("catalogue", "grid", "policy_gradient", "zero_cost")


class WarmStart(Record):
    """Of `draws` random candidates the best `take` by `proxy` are the first proposals.

    Source: Abdelfattah et al. 2021, section 4.3 (warm-up).
    """

    proxy: str = "synflow"
    draws: int = Field(default=100, ge=1, le=1_000_000)
    take: int = Field(default=10, ge=1, le=1_000_000)

    @field_validator("proxy")
    @classmethod
    def _known(cls, proxy: str) -> str:
        try:
            check_proxy(proxy)
        except SettingsError as why:
            raise ValueError(str(why)) from why
        return proxy

    @model_validator(mode="after")
    def _enough_draws(self) -> WarmStart:
        if self.take > self.draws:
            raise ValueError(f"take: got {self.take}, must be from 1 to draws ({self.draws})")
        return self


def refuse_cold(algorithm: str) -> str | None:
    """Why an algorithm takes no warm start, or None."""
    if algorithm not in COLD:
        return None
    return f"warm_start: algorithm {algorithm!r} does not begin with random draws; remove it"
