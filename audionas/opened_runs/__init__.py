"""Runs in a notebook: a run folder as one object with tables, pictures and trained networks."""

from __future__ import annotations

from audionas.opened_runs.run import Run, open_run

__all__ = ["Run", "open_run"]
