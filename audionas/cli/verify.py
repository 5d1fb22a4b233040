"""`audionas verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audionas.cli.console import print_result
from audionas.cli.parameters import JsonOption


def verify(
    bundle: Annotated[Path, typer.Argument(help="Bundle (zip, or its unpacked folder) or run folder.")],
    as_json: JsonOption = False,
) -> None:
    """Compute every figure of a bundle again from its predictions, and tell what does not fit; exit 1 if anything.

    Example: audionas verify first.zip
    """
    from audionas.comparisons.verify_comparison import verify_comparison
    from audionas.experiment.verify import verify as verify_bundle

    found = verify_bundle(bundle, {"compare": verify_comparison})
    lines = [*(str(mismatch) for mismatch in found.mismatches), *(f"note: {note}" for note in found.notes)]
    if found.mismatches:
        lines.append(f"{bundle}: {len(found.mismatches)} of its entries do not fit; {found.n_figures} figures checked")
    else:
        lines.append(f"{bundle}: OK, {found.n_figures} figures checked")
    record = {
        "ok": not found.mismatches,
        "figures": found.n_figures,
        "mismatches": [
            {"file": each.file, "key": each.key, "stored": each.stored, "recomputed": each.recomputed}
            for each in found.mismatches
        ],
        "notes": found.notes,
    }
    print_result(lines, record, as_json=as_json)
    if found.mismatches:
        raise typer.Exit(1)
