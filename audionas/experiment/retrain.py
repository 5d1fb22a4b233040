"""Retraining from scratch under the outer splits, several seeds each; then metrics against plain baselines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from audionas.audio.folds import outer_splits, split_folder
from audionas.audio.manifest import Manifest
from audionas.augmentations import load_augmentation
from audionas.errors import RunError, SettingsError
from audionas.experiment.augmented_corpus import augment_record, augmented_copies
from audionas.experiment.causal_sources import causal_delay
from audionas.experiment.chosen_on_test import MARK, ON_TEST, check_test_selection
from audionas.experiment.corpus import data_record
from audionas.experiment.costs import search_cost
from audionas.experiment.features_change import features_change
from audionas.experiment.final_model import check_final
from audionas.experiment.fold_rows import Select, fold_rows
from audionas.experiment.genotype_sources import (
    Source,
    baseline_source,
    by_split,
    find_sources,
    source_features,
    usual_features,
    with_features,
    with_macro_values,
    with_padding,
)  # fmt: skip
from audionas.experiment.inner_folds import inner_fold_rows
from audionas.experiment.machine import thread_count
from audionas.experiment.noise_scores import noise_options
from audionas.experiment.prepare import PrepareOptions, prepare
from audionas.experiment.pretrained_start import copy_pretrained
from audionas.experiment.retrain_recipe import check_kinds, kind_of, retrain_recipe
from audionas.experiment.retrain_work import train_all
from audionas.experiment.retrain_workers import check_workers
from audionas.experiment.run_folder import RUN_FILE, RunFolder, fresh_folder, refuse_occupied
from audionas.experiment.second_task import with_second_labels
from audionas.experiment.talk import Silent, Talk
from audionas.experiment.tracking import checked_trackers
from audionas.experiment.tuning import Grid, TakenSettings, check_groups, checked_grid
from audionas.run_places import BASELINES_RETRAINED, run_of_genotype
from audionas.spaces import BaselineGenotype
from audionas.spaces.genotype_file import save_genotype
from audionas.training.precision import checked_precision
from audionas.training.recipe import Recipe
from audionas.training.tasks import ClassWeighting, task_of

DEFAULT_EPOCHS = 60
_OF_CLIPS = ("search", "nested_search", "retrain")  # runs with a manifest and features of their own


@dataclass(frozen=True)
class RetrainRequest:
    """What the user asked for; None and defaults as `audionas retrain --help` says.

    `recipe` holds what the user overrides; the rest is the default of the genotype's kind. Several `learning_rates` or
    several `epochs_tried` are a grid, of which each split takes what does best on its own training clips.
    """

    sources: tuple[Path, ...]
    data: Path | None = None
    features: str | None = None
    macro: Mapping[str, Any] = field(default_factory=dict)
    epochs: int = DEFAULT_EPOCHS
    seeds: int = 3
    select: str = "last"
    batch_size: int = 16
    class_weighting: str = "balanced"
    recipe: Mapping[str, Any] = field(default_factory=dict)
    auxiliary: bool = False
    final: bool = False
    device: str = "cpu"
    threads: int | None = None
    out: Path | None = None
    preparation: PrepareOptions = field(default_factory=PrepareOptions)
    argv: tuple[str, ...] = ("retrain",)
    inner_folds: int = 0
    padding: str = "as_searched"
    learning_rates: tuple[float, ...] = ()
    epochs_tried: tuple[int, ...] = ()
    test_noise: Path | None = None
    snr_db: tuple[float, ...] = ()
    augment: str | None = None
    settings_of: Path | None = None
    baseline: BaselineGenotype | None = None
    trackers: tuple[str, ...] = ()
    precision: str | None = None
    compiles: bool = False
    workers: int = 1


def retrain(request: RetrainRequest, talk: Talk | None = None) -> Path:
    """Retrain genotypes under every outer split; returns the run folder, which holds `metrics.json`.

    Raises:
        AudionasError: of its kinds, for anything in the request or the data that cannot be used.
        KeyboardInterrupt: stopped; `resume_retraining` goes on.
    """
    talk = talk or Silent()
    _check(request)
    trackers = checked_trackers(request.trackers)
    augmentation = None if request.augment is None else load_augmentation(request.augment)
    sources = find_sources(request.sources) if request.baseline is None else [baseline_source(request.baseline)]
    out = request.out or _default_out(request)
    refuse_occupied(out)
    sources = [with_macro_values(source, request.macro) for source in sources]
    recipe = retrain_recipe(sources[0].genotype, request.recipe)
    check_kinds(sources, recipe, request.auxiliary)
    grid = _grid(request, recipe)
    features = request.features or usual_features(sources)
    for source in sources:
        if features is None:
            source_features(source)
    manifest, features_folder = _data(request, talk)
    taken = TakenSettings.of(request.settings_of, manifest) if request.settings_of else None
    grid = taken.grid if taken else grid
    task_of(manifest).clip_weights(manifest.targets, cast(ClassWeighting, request.class_weighting))
    sources = [with_second_labels(source, manifest) for source in sources]
    table = by_split(sources, outer_splits(manifest))
    change = None
    if features is not None:
        searched = next(iter(table.values())).provenance.get("features")
        splits = {split.name: split for split in outer_splits(manifest)}
        table = {name: with_features(source, features, manifest, splits[name]) for name, source in table.items()}
        change = features_change(searched, source_features(next(iter(table.values()))), features)
    if request.padding != "as_searched":
        table = {name: with_padding(source, request.padding == "masked") for name, source in table.items()}
    delay = causal_delay(table)
    if request.final:
        check_final(table)
    _check_inner_folds(manifest, request, grid)
    test_noise = noise_options(request.test_noise, request.snr_db, manifest, features_folder, talk)
    copies = augmented_copies(augmentation, manifest, features_folder, talk)
    first = next(iter(table.values()))
    plan = {
        "genotypes": {name: _origin(source) for name, source in table.items()},
        "seeds": list(range(request.seeds)),
        "epochs": max(grid.epochs) if grid else request.epochs,
        "select": request.select,
        "tuning": asdict(grid) if grid else None,
        "settings_of": str(request.settings_of.resolve()) if request.settings_of else None,
        "search_cost": search_cost(source.path for source in table.values()),
        "options": {
            "recipe": recipe.model_dump(mode="json"),
            "batch_size": request.batch_size,
            "class_weighting": request.class_weighting,
            "auxiliary": request.auxiliary,
            "final": request.final,
            "inner_folds": request.inner_folds,
            "test_noise": test_noise,
            "augment": augment_record(copies),
        },
        "device": request.device,
        "precision": checked_precision(request.precision, request.device),
        "threads": thread_count(_threads(request), first.provenance["input_shape"], kind_of(first.genotype)),
        "features": source_features(first),
        "features_folder": str(features_folder.resolve()),
        "input_shape": first.provenance["input_shape"],
        "data": data_record(manifest),
        **({"compile": True} if request.compiles else {}),
        **({"delay": delay.as_record()} if delay else {}),
        **({"trackers": list(trackers)} if trackers else {}),
    }
    manifest.write(out)
    for name, source in table.items():
        save_genotype(source.genotype, out / split_folder(name) / "genotype.json", dict(source.provenance))
        copy_pretrained(source, out / split_folder(name))
    if taken:
        taken.write(out)
    run = RunFolder.create(out, "retrain", list(request.argv), **plan)
    if change:
        run.warn(change)
        talk.warn(change)
    if request.select == ON_TEST:
        run.warn(MARK)
        talk.warn(MARK)
    if delay:
        talk.say(f"causal: {delay.text}")
    talk.say(f"run folder: {out} (after a stop: audionas retrain --resume {out})")
    return train_all(run, talk, request.workers)


def resume_retraining(path: Path, talk: Talk | None = None, workers: int = 1) -> Path:
    """Go on with a retraining that was stopped; finished folds are not trained again."""
    run = RunFolder.open(path, "retrain")
    check_workers(workers, run.record.get("trackers") or ())
    if run.record["status"] == "done":
        (talk or Silent()).say(f"{path}: this retraining is done already")
        return path
    return train_all(run, talk or Silent(), workers)


def _threads(request: RetrainRequest) -> int | None:
    """Those asked for; of trainings side by side each has one."""
    return 1 if request.threads is None and request.workers > 1 else request.threads


def _check(request: RetrainRequest) -> None:
    checked_precision(request.precision, request.device)
    check_workers(request.workers, request.trackers)
    for flag, given, accepted in (
        ("--select", request.select, ("last", "best", ON_TEST)),
        ("--class-weighting", request.class_weighting, ("balanced", "none", "sampler")),
        ("--padding", request.padding, ("as_searched", "masked", "counted")),
    ):
        if given not in accepted:
            raise SettingsError(f"{flag}: got {given!r}; accepted: {', '.join(accepted)}")
    for flag, number, lowest in (
        ("--epochs", request.epochs, 1), ("--seeds", request.seeds, 1), ("--batch-size", request.batch_size, 2)
    ):  # fmt: skip
        if number < lowest:
            raise SettingsError(f"{flag}: got {number}, must be {lowest} or more")
    if request.inner_folds < 0 or request.inner_folds == 1:
        raise SettingsError(f"--inner-folds: got {request.inner_folds}, must be 0 (none) or 2 or more")
    check_test_selection(request.select, final=request.final, inner_folds=request.inner_folds)


def _grid(request: RetrainRequest, recipe: Recipe) -> Grid | None:
    """What is to be chosen inside each split, if anything."""
    if request.settings_of and max(len(request.learning_rates), len(request.epochs_tried)) > 1:
        raise SettingsError("--settings-of and several values of --learning-rate or --epochs: give one of them")
    if request.settings_of and request.select != "last":
        raise SettingsError(f"--settings-of and --select {request.select}: both choose the epoch; give one of them")
    return checked_grid(
        request.learning_rates or (recipe.learning_rate,), request.epochs_tried or (request.epochs,), request.select
    )


def _check_inner_folds(manifest: Manifest, request: RetrainRequest, grid: Grid | None) -> None:
    """Refuse too many inner folds before anything is trained."""
    if grid:
        check_groups(grid, manifest)
    if not request.inner_folds:
        return
    select = cast(Select, request.select)
    for split in outer_splits(manifest):
        for seed in range(request.seeds):
            rows = fold_rows(manifest, split.search, split.test, split.dev, select, seed)
            inner_fold_rows(manifest, rows.train, request.inner_folds)


def _origin(source: Source) -> str:
    return f"baseline {source.path}" if source.is_named else str(source.path.resolve())


def _data(request: RetrainRequest, talk: Talk) -> tuple[Manifest, Path]:
    run = _run_of_data(request)
    if run is None:
        prepared = prepare(request.data, None, request.preparation, talk.progress)
        return prepared.manifest, prepared.features_folder
    if request.preparation != PrepareOptions():
        raise SettingsError("--folds, --group, --label and their like need DATA; a run's own folds are fixed")
    if not (run / "manifest.json").exists():
        raise RunError(
            f"{request.sources[0]}: a genotype without its run; name the data: audionas retrain GENOTYPE DATA"
        )
    record = RunFolder.open(run, *_OF_CLIPS).record if request.baseline else RunFolder.open(run).record
    return Manifest.read(run), Path(record["features_folder"])


def _run_of_data(request: RetrainRequest) -> Path | None:
    """The run whose clips and folds are used, None where data are prepared; of a hand-made system DATA may be a run."""
    if request.baseline is not None:
        return request.data if request.data is not None and (request.data / RUN_FILE).is_file() else None
    if request.data is not None:
        return None
    return request.sources[0] if request.sources[0].is_dir() else run_of_genotype(request.sources[0])


def _default_out(request: RetrainRequest) -> Path:
    sources = request.sources
    if request.baseline is not None:
        run, name = _run_of_data(request), request.baseline.name
        return fresh_folder(name) if run is None else _numbered(run / BASELINES_RETRAINED / name)
    if len(sources) == 1 and sources[0].is_dir():
        return _numbered(sources[0] / "retrained")
    return fresh_folder("retrained")


def _numbered(base: Path) -> Path:
    """The folder, or with the first number that is free: retrained, retrained-2, ..."""
    number, path = 1, base
    while path.exists():
        number += 1
        path = base.with_name(f"{base.name}-{number}")
    return path
