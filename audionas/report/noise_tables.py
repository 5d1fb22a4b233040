"""The table of scores with test noise, the clean score in its first row."""

from __future__ import annotations

from audionas.report.blocks import Block, Table
from audionas.report.quantities import score_text
from audionas.report.run_files import JsonObject
from audionas.training.measures import measures_of


def noise_tables(metrics: JsonObject) -> list[Block]:
    """One table, or none where no noise was asked for."""
    found = metrics.get("robustness")
    if not found:
        return []
    clean = metrics.get("headline") or metrics.get("all_splits") or {}
    measures = measures_of(metrics)
    n_seeds = len(found.get("seeds") or [])
    rows = [("none (the score above)", clean)]
    rows += [(f"{row['snr_db']:g} dB", row) for row in found.get("rows") or []]
    noise = found.get("noise") or {}
    return [
        Table(
            "With noise in the test clips",
            ("noise, SNR", *(measure.name for measure in measures)),
            tuple(
                (name, *(score_text(row.get(each.key), row.get(f"{each.key}_sd"), n_seeds) for each in measures))
                for name, row in rows
            ),
            f"Noise of {noise.get('n_files')} file(s) in {noise.get('folder')}; {found.get('what')}.",
        )
    ]
