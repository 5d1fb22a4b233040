"""Makes the shipped catalogue from the WikiText-2 runs of the NAS-Bench-NLP release.

    python benchmarks/make_catalogue.py wikitext2_logs.parquet audionas/spaces/data/nas_bench_nlp.json

One line a distinct recipe (exactly equal documents), with the ids and the best validation loss of each of its
runs. `text_loss` is the lowest loss of its runs that ended OK, null if none did. Losses have four decimals.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

HEAD = {
    "schema_version": 1,
    "source": "NAS-Bench-NLP release, train logs on WikiText-2: https://github.com/fmsnew/nas-bench-nlp-release",
    "licence": "Apache-2.0",
    "attribution": "N. Klyuchnikov et al.: NAS-Bench-NLP: Neural Architecture Search Benchmark for Natural Language "
    "Processing, IEEE Access 2022, arXiv 2006.07116. Changed here: equal recipes stand once; of each run only the "
    "best validation loss is kept.",
    "text_task": "WikiText-2 language model: 3 layers, hidden 600, embedding 400, up to 50 epochs, bptt 70, Adam 1e-3; "
    "losses are cross-entropy in nats",
}


def catalogue_text(logs: pd.DataFrame) -> str:
    """The JSON text of the catalogue: the head, then one recipe a line, by id."""
    groups = logs.groupby(logs["recepie"].map(_canonical), sort=False)
    entries = sorted((_entry(rows) for _, rows in groups), key=lambda entry: entry["id"])
    head = json.dumps(HEAD, indent=1, ensure_ascii=False).removesuffix("\n}")
    lines = ",\n".join(json.dumps(entry, separators=(",", ":"), allow_nan=False) for entry in entries)
    return f'{head},\n "recipes": [\n{lines}\n]}}\n'


def _canonical(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True)


def _entry(rows: pd.DataFrame) -> dict[str, Any]:
    runs = sorted((_run(row) for row in rows.to_dict("records")), key=lambda run: (run["id"], run["experiment"]))
    losses = [run["best_val_loss"] for run in runs if run["status"] == "OK"]
    ids = _distinct(run["id"] for run in runs)
    first = rows.sort_values(["recepie_id", "experiment_id"])["recepie"].iloc[0]
    return {"id": ids[0], "ids": ids, "recipe": json.loads(first), "text_loss": min(losses, default=None), "runs": runs}


def _run(row: dict[Any, Any]) -> dict[str, Any]:
    loss = float(row["best_val_loss"])
    return {
        "id": int(row["recepie_id"]),
        "experiment": int(row["experiment_id"]),
        "best_val_loss": None if math.isnan(loss) else round(loss, 4),
        "status": str(row["status"]),
    }


def _distinct(ids: Iterable[int]) -> list[int]:
    return sorted(set(ids))


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    text = catalogue_text(pd.read_parquet(source))
    target.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{target}: {len(text)} bytes\n")
