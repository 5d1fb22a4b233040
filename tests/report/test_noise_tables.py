"""The table of scores with noise: the clean score first, then a row an SNR."""

from __future__ import annotations

from audionas.report.blocks import Table
from audionas.report.noise_tables import noise_tables


def test_the_clean_score_stands_above_the_noisy_ones() -> None:
    row = {"snr_db": 10.0, "ua": 0.5, "ua_sd": 0.02, "wa": 0.6, "wa_sd": 0.01}
    found = {"rows": [row], "seeds": [0, 1], "noise": {"folder": "cafe", "n_files": 3}, "what": "pooled"}
    clean = {"ua": 0.8, "ua_sd": 0.01, "wa": 0.9, "wa_sd": 0.01}
    (table,) = noise_tables({"headline": clean, "robustness": found})
    assert isinstance(table, Table)
    assert [line[:2] for line in table.rows] == [
        ("none (the score above)", "0.800 ± 0.010"),
        ("10 dB", "0.500 ± 0.020"),
    ]
    assert "3 file(s) in cafe" in table.note


def test_without_noise_there_is_no_table() -> None:
    assert noise_tables({"headline": None}) == []
