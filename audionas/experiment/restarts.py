"""`search --restarts R`: the same search R times with other seeds, to see whether it finds the same cell again.

Every restart has the same features, the same parts (those of the first seed) and the same budget; initial weights,
alphas, order of batches and proposals are of its own seed. What restarts disagree on is therefore the noise of the
search, not of the data. Each is a run of its own in `restart_<k>/`, so a kill loses one epoch or trial.

The genotype that is handed on is chosen without any test clip, by a rule fixed beforehand: where a monitor part
scored the networks cut out of the supernets, the highest UA there (the task's main score; of equals the first restart);
else the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from audionas.experiment.run_folder import OWN_FIELDS, RunFolder
from audionas.experiment.talk import Talk
from audionas.records import write_bytes
from audionas.run_places import RUN_FILE, restart_folder
from audionas.spaces import CnnCellSpace, CnnGenotype, Genotype, load_search_space
from audionas.spaces.agreement import cell_agreement, chance_agreement, same_hash
from audionas.spaces.cnn_cell import KINDS
from audionas.spaces.decision import score_key
from audionas.spaces.genotype_file import read_genotype_file
from audionas.training.measures import measure_of_key

INPUTS = ("manifest.csv", "manifest.json", "space.yaml", "strategy.yaml")
BY_MONITOR = "the highest {} of the network cut out, on the monitor part"
FIRST = "the first: no part that the searches have not used tells them apart"
SearchOne = Callable[[RunFolder, Talk], None]


def parts_seed(record: Mapping[str, Any]) -> int:
    """The seed that divides a search's clips into parts: its own, or that of the restarts' first."""
    return int(record.get("parts_seed", record["seed"]))


def search_restarts(run: RunFolder, talk: Talk, search_one: SearchOne) -> None:
    """Run the restarts that are not done yet, then hand on one genotype and record how far they agree.

    Args:
        run: the search, being worked on; `restarts` in its record is their number.
        search_one: searches in a run folder.
    """
    n = run.record["restarts"]
    restarts = []
    for number in range(1, n + 1):
        restart = _restart_run(run, number)
        if restart.record["status"] != "done":
            talk.say(f"restart {number} of {n}: seed {restart.record['seed']}, the same parts")
            with restart.working():
                search_one(restart, talk)
        restarts.append(restart)
    _hand_on(run, restarts, talk)


def _restart_run(run: RunFolder, number: int) -> RunFolder:
    path = run.path / restart_folder(number)
    if (path / RUN_FILE).exists():
        return RunFolder.open(path, "search")
    for name in INPUTS:
        write_bytes(path / name, (run.path / name).read_bytes())
    fields = {key: value for key, value in run.record.items() if key not in (*OWN_FIELDS, "restarts")}
    first = run.record["seed"]
    fields |= {"restart": number, "seed": first + number - 1, "parts_seed": first}
    return RunFolder.create(path, "search", run.record["argv"], **fields)


def _hand_on(run: RunFolder, restarts: Sequence[RunFolder], talk: Talk) -> None:
    """Leave in the run what a search without restarts leaves, of the chosen one, and the agreement of all."""
    genotypes = [read_genotype_file(restart.path / "genotype.json").genotype for restart in restarts]
    number, rule = _choose(restarts)
    chosen = restarts[number - 1]
    decided = _decided(load_search_space(run.path / "space.yaml"), restarts, genotypes)
    decided["restarts"] |= {"chosen": number, "chosen_by": rule}
    for name in ("strategy.yaml", "genotype.json"):
        _copy(chosen.path / name, run.path / name)
    taken = {key: value for key, value in chosen.record.items() if key not in run.record and key not in _OF_RESTARTS}
    for restart in restarts:
        for line in restart.record["warnings"]:
            run.warn(f"restart {restart.record['restart']}: {line}")
    run.save(**taken, decided={**chosen.record.get("decided", {}), **decided}, chosen_restart=number)
    talk.say(f"genotype of restart {number} of {len(restarts)} is handed on ({rule})")


_OF_RESTARTS = ("restart", "parts_seed", "decided", "error")


def _choose(restarts: Sequence[RunFolder]) -> tuple[int, str]:
    """Number of the restart whose genotype is handed on, and the rule."""
    decided = [restart.record.get("decided") or {} for restart in restarts]
    if not all(each.get("scored_on") == "monitor" for each in decided):
        return 1, FIRST
    main = score_key(decided[0])
    scores = [each[f"network_{main}"] for each in decided]
    return scores.index(max(scores)) + 1, BY_MONITOR.format(measure_of_key(main).name)


def _decided(space: object, restarts: Sequence[RunFolder], genotypes: Sequence[Genotype]) -> dict[str, Any]:
    """`restarts` of the `decided` record, and in `cells` the agreement of each kind of cell."""
    hashes = [genotype.hash for genotype in genotypes]
    found: dict[str, Any] = {
        "n": len(restarts),
        "different_genotypes": len(set(hashes)),
        "same_genotype": same_hash(hashes),
        "agreement": None,
        "each": [_row(restart, genotype) for restart, genotype in zip(restarts, genotypes, strict=True)],
    }
    cells = [genotype for genotype in genotypes if isinstance(genotype, CnnGenotype)]
    if isinstance(space, CnnCellSpace) and cells:
        by_kind = {kind: cell_agreement([getattr(c, kind) for c in cells], space.edges_per_node) for kind in KINDS}
        shares = [share for share in by_kind.values() if share is not None]
        found["agreement"] = sum(shares) / len(shares)
        found["agreement_by_cell"] = by_kind
        found["agreement_by_chance"] = chance_agreement(space)
    return {"restarts": found}


def _row(restart: RunFolder, genotype: Genotype) -> dict[str, Any]:
    decided = restart.record.get("decided") or {}
    keys = (
        "verdict",
        "margin_median",
        "margin_min",
        "discretisation_gap",
        f"network_{score_key(decided)}",
        "scored_on",
    )
    own = {key: decided[key] for key in keys if key in decided}
    return {"restart": restart.record["restart"], "seed": restart.record["seed"], "genotype_hash": genotype.hash, **own}


def _copy(source: Path, target: Path) -> None:
    write_bytes(target, source.read_bytes())


__all__ = ["parts_seed", "search_restarts"]
