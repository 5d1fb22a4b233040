"""`audionas check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from audionas.cli.console import print_result
from audionas.cli.parameters import DeviceOption, JsonOption

_ACCEPTED = (
    "Space, strategy or feature YAML; genotype, recipe or catalogue JSON; DARTS text; manifest CSV; run folder; "
    "data folder."
)
_NETWORKS = ("genotype", "recurrent recipe", "run folder")


def check(
    files: Annotated[list[Path], typer.Argument(help=_ACCEPTED)],
    costs: Annotated[
        bool, typer.Option("--costs", help="Of a genotype also: parameters, MACs, memory, and its latency, timed.")
    ] = False,
    describe: Annotated[
        bool, typer.Option("--describe", help="Of a genotype also: what its network is, in plain words.")
    ] = False,
    device: DeviceOption = "cpu",
    as_json: JsonOption = False,
) -> None:
    """Validate files and report all errors of each; exit 1 if there is any.

    Example: audionas check genotype.json my_space.yaml
    """
    from audionas.experiment.checking import check_file
    from audionas.experiment.genotype_costs import cost_lines, genotype_costs
    from audionas.experiment.genotype_words import words_of

    found = {str(path): check_file(path) for path in files}
    record: dict[str, dict[str, Any]] = {
        path: {"kind": result.kind, "errors": list(result.errors), "notes": list(result.notes)}
        for path, result in found.items()
    }
    lines = []
    for path, result in found.items():
        lines += [f"{path}: {error}" for error in result.errors] or [f"{path}: a valid {result.kind}"]
        lines += [f"{path}: {note}" for note in result.notes]
        has_network = result.kind in (*_NETWORKS, "DARTS text") and not result.errors
        if describe and has_network:
            record[path]["words"] = words_of(Path(path))
            lines += [f"{path}: {' '.join(filter(None, line))}" for line in record[path]["words"].items()]
        if costs and result.kind in _NETWORKS and not result.errors:
            record[path]["costs"] = genotype_costs(Path(path), device)
            lines += [f"{path}: {line}" for line in cost_lines(record[path]["costs"])]
    print_result(lines, record, as_json=as_json)
    if any(result.errors for result in found.values()):
        raise typer.Exit(1)
