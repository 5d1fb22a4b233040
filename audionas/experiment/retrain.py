"""Retraining from scratch under the outer splits, several seeds each; then metrics against plain baselines."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from audionas.audio.folds import OuterSplit, outer_splits
from audionas.audio.manifest import Manifest
from audionas.errors import RunError, SettingsError
from audionas.experiment.baseline_scores import baseline_records
from audionas.experiment.corpus import Corpus, data_record, load_corpus
from audionas.experiment.final_model import check_final, train_final
from audionas.experiment.fold_training import TrainingPlan, fold_rows, train_fold
from audionas.experiment.genotype_sources import (
    Source,
    by_split,
    find_sources,
    seen_groups,
    source_features,
    with_features,
    with_macro_values,
)  # fmt: skip
from audionas.experiment.prepare import PrepareOptions, prepare
from audionas.experiment.retrain_metrics import metrics_document, read_fold_scores
from audionas.experiment.run_folder import RunFolder, fresh_folder, refuse_occupied
from audionas.experiment.search_plan import NOT_CHECKED
from audionas.experiment.talk import Silent, Talk, count, duration
from audionas.records import to_json, validate, write_json
from audionas.seeding import flush_denormals
from audionas.spaces.genotype_file import read_genotype_file, save_genotype
from audionas.training.fit import gpu_index
from audionas.training.recipe import Recipe
from audionas.training.tasks import task_of

DEFAULT_EPOCHS = 60


@dataclass(frozen=True)
class RetrainRequest:
    """What the user asked for; None and defaults as `audionas retrain --help` says."""

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


def retrain(request: RetrainRequest, talk: Talk | None = None) -> Path:
    """Retrain genotypes under every outer split; returns the run folder, which holds `metrics.json`.

    Raises:
        AudionasError: of its kinds, for anything in the request or the data that cannot be used.
        KeyboardInterrupt: stopped; `resume_retraining` goes on.
    """
    talk = talk or Silent()
    _check(request)
    sources = find_sources(request.sources)
    out = request.out or _default_out(request.sources)
    refuse_occupied(out)
    sources = [with_macro_values(source, request.macro) for source in sources]
    for source in sources:
        if request.features is None:
            source_features(source)
    manifest, features_folder = _data(request, talk)
    task_of(manifest)
    table = by_split(sources, outer_splits(manifest))
    if request.features is not None:
        splits = {split.name: split for split in outer_splits(manifest)}
        table = {
            name: with_features(source, request.features, manifest, splits[name]) for name, source in table.items()
        }
    if request.final:
        check_final(table)
    first = next(iter(table.values()))
    plan = {
        "genotypes": {name: str(source.path.resolve()) for name, source in table.items()},
        "seeds": list(range(request.seeds)),
        "epochs": request.epochs,
        "select": request.select,
        "options": {
            "recipe": validate(Recipe, dict(request.recipe), "retrain").model_dump(mode="json"),
            "batch_size": request.batch_size,
            "class_weighting": request.class_weighting,
            "auxiliary": request.auxiliary,
            "final": request.final,
        },
        "device": request.device,
        "threads": _threads(request.threads),
        "features": source_features(first),
        "features_folder": str(features_folder.resolve()),
        "input_shape": first.provenance["input_shape"],
        "data": data_record(manifest),
    }
    manifest.write(out)
    for name, source in table.items():
        save_genotype(source.genotype, out / f"split_{name}" / "genotype.json", dict(source.provenance))
    run = RunFolder.create(out, "retrain", list(request.argv), **plan)
    talk.say(f"run folder: {out} (after a stop: audionas retrain --resume {out})")
    return _work(run, talk)


def resume_retraining(path: Path, talk: Talk | None = None) -> Path:
    """Go on with a retraining that was stopped; finished folds are not trained again."""
    run = RunFolder.open(path, "retrain")
    if run.record["status"] == "done":
        (talk or Silent()).say(f"{path}: this retraining is done already")
        return path
    return _work(run, talk or Silent())


def _work(run: RunFolder, talk: Talk) -> Path:
    import torch

    flush_denormals()
    torch.set_num_threads(run.record["threads"])
    with run.working():
        manifest = Manifest.read(run.path)
        record = run.record
        splits = outer_splits(manifest)
        sources = {split.name: _kept_source(run.path / f"split_{split.name}" / "genotype.json") for split in splits}
        corpora = _corpora(Path(record["features_folder"]), manifest, sources, talk)
        seen = {split.name: seen_groups(manifest, split, sources[split.name]) for split in splits}
        _announce(run, corpora, splits, seen, talk)
        plan = _training_plan(record)
        parameters = _train_folds(run, corpora, splits, sources, plan, talk)
        document = _scores(run, corpora, splits, seen, parameters)
        write_json(run.path / "metrics.json", document)
        if record["options"]["final"]:
            train_final(run, next(iter(corpora.values())), sources, plan, document, talk)
        run.save(notes=next(iter(corpora.values())).remarks())
    return run.path


def _corpora(folder: Path, manifest: Manifest, sources: Mapping[str, Source], talk: Talk) -> dict[str, Corpus]:
    """Features of each split as its own search had them: their length was fitted without the split's clips."""
    by_key: dict[str, Corpus] = {}
    table = {}
    for name, source in sources.items():
        settings = source_features(source)
        key = to_json(settings)
        if key not in by_key:
            by_key[key] = load_corpus(manifest, folder, settings, talk)
        table[name] = by_key[key]
    return table


def _train_folds(
    run: RunFolder,
    corpora: Mapping[str, Corpus],
    splits: Sequence[OuterSplit],
    sources: Mapping[str, Source],
    plan: TrainingPlan,
    talk: Talk,
) -> int:
    """Every (split, seed); returns the largest parameter count."""
    jobs = [(split, seed) for split in splits for seed in run.record["seeds"]]
    started, parameters, trained = time.perf_counter(), 0, 0
    for number, (split, seed) in enumerate(jobs, start=1):
        folder = run.path / f"split_{split.name}" / f"seed_{seed}"
        was_done = (folder / "result.json").exists()
        corpus = corpora[split.name]
        rows = fold_rows(corpus.manifest, split.search, split.test, split.dev, plan.select, seed)
        result = train_fold(
            sources[split.name].genotype, corpus, rows, plan, folder, seed,
            partial(_tell_epoch, talk, f"training {number}/{len(jobs)}", plan.epochs),
        )  # fmt: skip
        parameters = max(parameters, result["parameters"])
        if was_done:
            continue
        trained += 1
        left = (time.perf_counter() - started) / trained * (len(jobs) - number)
        talk.say(
            f"training {number}/{len(jobs)}: split {split.name}, seed {seed}, {result['parameters']} parameters, "
            f"{duration(result['seconds'])}; {duration(left)} left"
        )
    return parameters


def _tell_epoch(talk: Talk, what: str, epochs: int, epoch: int, _: Mapping[str, float]) -> None:
    talk.progress(what, epoch + 1, epochs)


def _scores(
    run: RunFolder,
    corpora: Mapping[str, Corpus],
    splits: Sequence[OuterSplit],
    seen: Mapping[str, list[str]],
    parameters: int,
) -> dict[str, Any]:
    manifest = next(iter(corpora.values())).manifest
    scores = read_fold_scores(run.path, splits, run.record["seeds"], seen, task_of(manifest))
    clean = [split for split in splits if not seen[split.name]]
    baselines = baseline_records(corpora, clean or splits)
    return metrics_document(manifest, splits, scores, parameters, {"headline": baselines})


def _announce(
    run: RunFolder,
    corpora: Mapping[str, Corpus],
    splits: Sequence[OuterSplit],
    seen: Mapping[str, list[str]],
    talk: Talk,
) -> None:
    corpus = next(iter(corpora.values()))
    n_seen = sum(bool(groups) for groups in seen.values())
    talk.say(
        f"{count(len(splits), 'split')}, {count(len(run.record['seeds']), 'seed')}, "
        f"{count(run.record['epochs'], 'epoch')} each; {'; '.join(corpus.remarks())}"
    )
    lines = []
    if n_seen:
        names = ", ".join(name for name, groups in seen.items() if groups)
        lines.append(
            f"the search has read clips of test fold(s) {names}: scored, marked 'seen by the search', "
            "kept out of the headline"
        )
    if not corpus.manifest.speaker_independence_checked:
        lines.append(NOT_CHECKED)
    if corpus.features.n_silent:
        lines.append(corpus.silence())
    for line in lines:
        run.warn(line)
        talk.warn(line)


def _training_plan(record: Mapping[str, Any]) -> TrainingPlan:
    options = record["options"]
    return TrainingPlan(
        recipe=validate(Recipe, options["recipe"], "run.json"),
        epochs=record["epochs"],
        batch_size=options["batch_size"],
        weighting=options["class_weighting"],
        select=record["select"],
        auxiliary=options["auxiliary"],
        device=record["device"],
    )


def _kept_source(path: Path) -> Source:
    found = read_genotype_file(path)
    return Source(path, found.genotype, found.provenance)


def _check(request: RetrainRequest) -> None:
    gpu_index(request.device)
    for flag, given, accepted in (
        ("--select", request.select, ("last", "best")),
        ("--class-weighting", request.class_weighting, ("balanced", "none", "sampler")),
    ):
        if given not in accepted:
            raise SettingsError(f"{flag}: got {given!r}; accepted: {', '.join(accepted)}")
    for flag, number, lowest in (
        ("--epochs", request.epochs, 1), ("--seeds", request.seeds, 1), ("--batch-size", request.batch_size, 2)
    ):  # fmt: skip
        if number < lowest:
            raise SettingsError(f"{flag}: got {number}, must be {lowest} or more")


def _data(request: RetrainRequest, talk: Talk) -> tuple[Manifest, Path]:
    if request.data is not None:
        prepared = prepare(request.data, None, request.preparation, talk.progress)
        return prepared.manifest, prepared.features_folder
    if request.preparation != PrepareOptions():
        raise SettingsError("--folds, --group, --label and their like need DATA; a run's own folds are fixed")
    run = request.sources[0] if request.sources[0].is_dir() else request.sources[0].parent
    if not (run / "manifest.json").exists():
        raise RunError(
            f"{request.sources[0]}: a genotype without its run; name the data: audionas retrain GENOTYPE DATA"
        )
    return Manifest.read(run), Path(RunFolder.open(run).record["features_folder"])


def _default_out(sources: Sequence[Path]) -> Path:
    if len(sources) == 1 and sources[0].is_dir():
        base = sources[0] / "retrained"
        number, path = 1, base
        while path.exists():
            number += 1
            path = base.with_name(f"retrained-{number}")
        return path
    return fresh_folder("retrained")


def _threads(asked: int | None) -> int:
    import torch

    return int(torch.get_num_threads()) if asked is None else max(1, asked)
