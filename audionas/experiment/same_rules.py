"""The rules that runs must share to stand in one ranking, and in which of them they differ.

Rules are what could favour one system over another without belonging to it:

    corpus          the manifest's hash: clips, labels, groups, folds, protocol
    protocol, scored folds, seeds
    epochs, select, tuning, batch_size, class_weighting, auxiliary, and every other option of the retraining
    augment, search augment   augmented copies in the retraining, and in the search of its genotypes
    recipe.*        what was changed by hand of the recipe that the kind of genotype has by default
    recipe.augmentation.*, recipe.drop_path

Not rules, as they are the system: its features, genotype, macro values and the default recipe of its kind (SGD for CNN
cells, Adam for recurrent ones). Nor are `inner_folds` and `final` (further trainings, which change no score),
`test_noise` (further scores of the same networks), device, threads, versions and machine. A fusion has the rules of its
streams.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audionas.errors import RunError
from audionas.experiment.augmented_corpus import augment_settings
from audionas.experiment.finished_runs import FinishedRun, finished_run
from audionas.experiment.retrain_recipe import usual_recipe
from audionas.spaces.genotype_file import read_genotype_file
from audionas.training.recipe import default_recipe

_NO_RULES = ("recipe", "inner_folds", "final", "test_noise")  # of a retraining's options
_ALWAYS = ("augmentation", "drop_path")  # of a recipe: told even where they are the default
DEFAULT = "default"


def rules(run: Path) -> dict[str, Any]:
    """The rules of a retraining or a fusion, by name; see the top of this module.

    Raises:
        RunError: the run is not finished, or a stream of a fusion is not there.
    """
    return _rules(finished_run(run))


def differences(runs: Sequence[Path], leaving_out: Sequence[str] = ()) -> list[str]:
    """One line a rule in which these runs differ: its name, each value, which run has it; but for some rules.

    Raises:
        RunError: as `rules`.
    """
    found = {str(run): rules(run) for run in runs}
    names = [
        name for name in dict.fromkeys(name for each in found.values() for name in each) if name not in leaving_out
    ]
    lines = []
    for name in names:
        values: dict[str, list[str]] = {}
        for run, each in found.items():
            values.setdefault(_text(each.get(name, DEFAULT)), []).append(run)
        if len(values) > 1:
            told = "; ".join(f"{value} in {', '.join(where)}" for value, where in values.items())
            lines.append(f"{name}: {told}")
    return lines


def own_rules(run: Path, others: Sequence[Path]) -> str:
    """The values of a run for the rules in which it and others differ, for a column of a table."""
    found = [rules(each) for each in (run, *others)]
    names = dict.fromkeys(name for each in found for name in each)
    unlike = [name for name in names if len({_text(each.get(name, DEFAULT)) for each in found}) > 1]
    return "; ".join(f"{name} {_text(found[0].get(name, DEFAULT))}" for name in unlike)


def _rules(run: FinishedRun) -> dict[str, Any]:
    scored = {"scored folds": list(run.scores["splits"])}
    if not run.is_fusion:
        return {**_retraining_rules(run), **scored}
    streams = []
    for text in run.record["streams"]:
        try:
            streams.append(_retraining_rules(finished_run(Path(text))))
        except RunError as why:
            raise RunError(f"{run.path}: its stream cannot be read: {why}") from why
    names = dict.fromkeys(name for each in streams for name in each)
    return {name: _together([each.get(name, DEFAULT) for each in streams]) for name in names} | scored


def _together(values: list[Any]) -> Any:
    """The streams' one value, or all of them."""
    texts = [_text(value) for value in values]
    return values[0] if len(set(texts)) == 1 else " + ".join(texts)


def _retraining_rules(run: FinishedRun) -> dict[str, Any]:
    record, options = run.record, run.record["options"]
    found = {
        "corpus": f"{record['data']['dataset']}, manifest {record['data']['manifest_sha256'][:12]}",
        "protocol": record["data"].get("protocol", "folds"),
        "seeds": list(record["seeds"]),
        "epochs": record["epochs"],
        "select": record["select"],
        "tuning": _tuning(record.get("tuning")),
        **{name: value for name, value in options.items() if name not in _NO_RULES},
        "augment": augment_settings(options.get("augment")),
        "search augment": _search_augment(run),
        **_recipe_rules(run, options["recipe"]),
    }
    return found


def _tuning(grid: Mapping[str, Any] | None) -> Any:
    """What was chosen among; a single learning rate is no choice, and its kind's own."""
    if not grid:
        return None
    return {name: value for name, value in grid.items() if not isinstance(value, (list, tuple)) or len(value) > 1}


def _search_augment(run: FinishedRun) -> Any:
    """The augmentation of the searches that the genotypes of the splits come from."""
    files = sorted(run.path.glob("split_*/genotype.json"))
    return _together([read_genotype_file(file).provenance.get("augment") for file in files])


def _recipe_rules(run: FinishedRun, recipe: Mapping[str, Any]) -> dict[str, Any]:
    file = sorted(run.path.glob("split_*/genotype.json"))[0]
    usual = usual_recipe(read_genotype_file(file).genotype).model_dump(mode="json")
    if recipe.get("optimiser") != usual["optimiser"]:  # another optimiser brings its own rate and decay
        other = {"sgd": "cnn_cell", "adam": "recurrent_cell"}.get(str(recipe.get("optimiser")), "cnn_cell")
        usual = {**default_recipe(other).model_dump(mode="json"), "optimiser": usual["optimiser"]}
    rules_: dict[str, Any] = {}
    for name, value in recipe.items():
        if isinstance(value, dict):
            rules_ |= {f"recipe.{name}.{key}": inner for key, inner in value.items()}
        elif name in _ALWAYS or value != usual.get(name):
            rules_[f"recipe.{name}"] = value
    return rules_


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(inner)}" for key, inner in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
