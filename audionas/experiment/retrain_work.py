"""The work of a retraining: every split and seed, then the metrics; finished trainings are not repeated."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from audionas.audio.folds import OuterSplit, outer_splits, split_folder
from audionas.audio.manifest import Manifest
from audionas.experiment.augmented_corpus import recorded_copies, with_copies
from audionas.experiment.baseline_scores import baseline_predictions, written_baselines
from audionas.experiment.clip_functionals import functionals_or_warning
from audionas.experiment.corpus import Corpus, load_corpus
from audionas.experiment.final_model import train_final
from audionas.experiment.fold_rows import FoldRows, fold_rows
from audionas.experiment.fold_training import OnEpoch, TrainingPlan, train_fold
from audionas.experiment.genotype_sources import Source, read_source, seen_groups, source_features
from audionas.experiment.inner_folds import inner_out_of_fold, untrained_classes
from audionas.experiment.network_sizes import network_sizes
from audionas.experiment.noise_scores import predict_with_noise
from audionas.experiment.provenance import is_known as knows_what_was_read
from audionas.experiment.recompute import metrics_of_run
from audionas.experiment.retrain_plans import split_plans, tracked_teller, training_plan, with_pretrained
from audionas.experiment.retrain_workers import Job, jobs_of, side_by_side, take_over_costs
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.run_start import start_computing
from audionas.experiment.search_plan import NOT_CHECKED
from audionas.experiment.talk import Silent, Talk
from audionas.experiment.tracking import tracked
from audionas.process_memory import give_back_memory
from audionas.quantities import count_text, seconds_text
from audionas.records import to_json, write_json
from audionas.training.ledger import step
from audionas.training.resident_clips import share_device
from audionas.training.tasks import task_of


def train_all(run: RunFolder, talk: Talk, n_workers: int = 1) -> Path:
    """Do what is left of a retraining; with several workers so many trainings at a time, each in its own process."""
    start_computing(run, talk)
    with run.working(), tracked(run, talk):
        manifest = Manifest.read(run.path)
        record = run.record
        splits = outer_splits(manifest)
        sources = {split.name: read_source(run.path / split_folder(split.name) / "genotype.json") for split in splits}
        corpora = _corpora(Path(record["features_folder"]), manifest, sources, talk)
        corpora = _augmented(record, corpora, splits, manifest, talk)
        functionals = functionals_or_warning(run, next(iter(corpora.values())), talk)
        seen = {split.name: seen_groups(manifest, split, sources[split.name]) for split in splits}
        is_known = all(knows_what_was_read(source.provenance) for source in sources.values())
        _announce(run, corpora, splits, seen, is_known, talk)
        plan = training_plan(record)
        _warn_of_untrained_classes(run, corpora, splits, plan, talk)
        if n_workers > 1 and record.get("tuning"):
            side_by_side(
                run, partial(_tune_one, n_workers), [job for job in jobs_of(run, splits) if job.seed is None], n_workers
            )
        plans = split_plans(run, corpora, splits, sources, plan, talk)
        parameters = _train_folds(run, corpora, splits, sources, plans, talk, n_workers)
        predict_with_noise(run, corpora, splits, sources, talk)
        document = _scores(run, corpora, splits, seen, parameters, is_known, functionals) | network_sizes(run.path)
        write_json(run.path / "metrics.json", document)
        if record["options"]["final"]:
            begun = with_pretrained(run, splits[0].name, plan)
            train_final(run, next(iter(corpora.values())), sources, begun, document, talk)
        run.save(notes=[*manifest.notes, *next(iter(corpora.values())).remarks()])
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


def _augmented(
    record: Mapping[str, Any],
    corpora: Mapping[str, Corpus],
    splits: Sequence[OuterSplit],
    manifest: Manifest,
    talk: Talk,
) -> dict[str, Corpus]:
    """Each split's corpus with augmented copies of its search clips; of all clips where a final model is asked for."""
    copies = recorded_copies(record["options"].get("augment"), manifest, Path(record["features_folder"]), talk)
    every = range(len(manifest)) if record["options"]["final"] else ()
    return {split.name: with_copies(corpora[split.name], copies, [*{*split.search, *every}], talk) for split in splits}


def _train_folds(
    run: RunFolder,
    corpora: Mapping[str, Corpus],
    splits: Sequence[OuterSplit],
    sources: Mapping[str, Source],
    plans: Mapping[str, TrainingPlan],
    talk: Talk,
    n_workers: int,
) -> int:
    """Every (split, seed); returns the largest parameter count."""
    jobs = [(split, seed) for split in splits for seed in run.record["seeds"]]
    started, parameters, trained = time.perf_counter(), 0, 0
    done = {job.name for job in jobs_of(run, splits) if job.is_done}
    if n_workers > 1:
        side_by_side(
            run,
            partial(_train_one, n_workers),
            [job for job in jobs_of(run, splits) if job.seed is not None],
            n_workers,
        )
    for number, (split, seed) in enumerate(jobs, start=1):
        folder = run.path / split_folder(split.name) / f"seed_{seed}"
        was_done = f"{split_folder(split.name)}/seed_{seed}" in done
        corpus, plan = corpora[split.name], plans[split.name]
        rows = fold_rows(corpus.manifest, split.search, split.test, split.dev, plan.select, seed)
        teller = partial(tracked_teller, talk, f"training {number}/{len(jobs)}", plan, folder)
        result = _train(sources[split.name], corpus, rows, plan, folder, seed, teller)
        parameters = max(parameters, result["parameters"])
        if was_done:
            continue
        trained += 1
        if result["failed"]:
            line = f"split {split.name}, seed {seed}: {result['failed']}: scored as chance"
            run.warn(line)
            talk.warn(line)
        if "out_of_memory" in result:
            run.warn(f"split {split.name}, seed {seed}: {result['out_of_memory']['told']}")
        if n_workers > 1:
            continue  # each has told of itself
        left = (time.perf_counter() - started) / trained * (len(jobs) - number)
        talk.say(
            f"training {number}/{len(jobs)}: split {split.name}, seed {seed}, {result['parameters']} parameters, "
            f"{seconds_text(result['seconds'])}; {seconds_text(left)} left"
        )
    take_over_costs(jobs_of(run, splits))
    return parameters


def _train_one(n_workers: int, out: Path, name: str, talk: Talk) -> None:
    """One training of a retraining whose run another process holds."""
    run, job, corpora, sources, plan = _opened(n_workers, out, name)
    assert job.seed is not None
    split = job.split
    found = split_plans(run, corpora, [split], sources, plan, Silent())[split.name]
    rows = fold_rows(corpora[split.name].manifest, split.search, split.test, split.dev, found.select, job.seed)
    with job.counting(plan.device):
        teller = partial(tracked_teller, talk, name, found, job.folder)
        result = _train(sources[split.name], corpora[split.name], rows, found, job.folder, job.seed, teller)
    talk.say(f"{result['parameters']} parameters, {seconds_text(result['seconds'])}")


def _tune_one(n_workers: int, out: Path, name: str, talk: Talk) -> None:
    """The choice of rate and epochs in one split, likewise."""
    run, job, corpora, sources, plan = _opened(n_workers, out, name)
    with job.counting(plan.device):
        split_plans(run, corpora, [job.split], sources, plan, talk)


def _opened(
    n_workers: int, out: Path, name: str
) -> tuple[RunFolder, Job, dict[str, Corpus], dict[str, Source], TrainingPlan]:
    run = RunFolder.open(out, "retrain")
    start_computing(run, Silent())
    manifest = Manifest.read(out)
    jobs = jobs_of(run, outer_splits(manifest))
    job = next(job for job in jobs if job.name == name)
    share_device(-(-n_workers // len({each.device for each in jobs})))
    sources = {job.split.name: read_source(out / split_folder(job.split.name) / "genotype.json")}
    corpora = _corpora(Path(run.record["features_folder"]), manifest, sources, Silent())
    corpora = _augmented(run.record, corpora, [job.split], manifest, Silent())
    return run, job, corpora, sources, replace(training_plan(run.record), device=job.device)


def _train(
    source: Source,
    corpus: Corpus,
    rows: FoldRows,
    plan: TrainingPlan,
    folder: Path,
    seed: int,
    teller: Callable[[int], OnEpoch],
) -> dict[str, Any]:
    """The inner trainings of one (split, seed), if they are asked for, then its own."""
    inner = None
    if plan.inner_folds and not (folder / "result.json").exists():
        with step("inner folds"):
            inner = inner_out_of_fold(source.genotype, corpus, rows, plan, folder, seed, teller)
    result = train_fold(source.genotype, corpus, rows, plan, folder, seed, teller(0), inner)
    give_back_memory()
    return result


def _scores(
    run: RunFolder,
    corpora: Mapping[str, Corpus],
    splits: Sequence[OuterSplit],
    seen: Mapping[str, list[str]],
    parameters: int,
    is_known: bool,
    functionals: np.ndarray | None,
) -> dict[str, Any]:
    manifest = next(iter(corpora.values())).manifest
    clean = [split for split in splits if not seen[split.name]]
    found = baseline_predictions(corpora, clean or splits, functionals)
    baselines = {"headline": written_baselines(run.path, found, task_of(manifest))}
    return metrics_of_run(run, manifest, splits, seen, is_known, parameters, baselines)


def _announce(
    run: RunFolder,
    corpora: Mapping[str, Corpus],
    splits: Sequence[OuterSplit],
    seen: Mapping[str, list[str]],
    is_known: bool,
    talk: Talk,
) -> None:
    corpus = next(iter(corpora.values()))
    n_seen = sum(bool(groups) for groups in seen.values())
    talk.say(
        f"{count_text(len(splits), 'split')}, {count_text(len(run.record['seeds']), 'seed')}, "
        f"{count_text(run.record['epochs'], 'epoch')} each; {'; '.join(corpus.remarks())}"
    )
    lines = []
    if n_seen:
        names = ", ".join(name for name, groups in seen.items() if groups)
        lines.append(
            f"the search has read clips of test fold(s) {names}: scored, marked 'seen by the search', "
            "kept out of the headline"
        )
    if not is_known:
        lines.append("it is not known which clips the search of this genotype has read: no fold can be called clean")
    if not corpus.manifest.speaker_independence_checked:
        lines.append(NOT_CHECKED)
    if corpus.features.n_silent:
        lines.append(corpus.silence())
    for line in lines:
        run.warn(line)
        talk.warn(line)


def _warn_of_untrained_classes(
    run: RunFolder, corpora: Mapping[str, Corpus], splits: Sequence[OuterSplit], plan: TrainingPlan, talk: Talk
) -> None:
    if not plan.inner_folds:
        return
    for split in splits:
        manifest = corpora[split.name].manifest
        rows = fold_rows(manifest, split.search, split.test, split.dev, plan.select, run.record["seeds"][0])
        absent = untrained_classes(manifest, rows.train, plan.inner_folds)
        if absent:
            line = f"split {split.name}: an inner training sees no clip of {', '.join(absent)}; use fewer inner folds"
            run.warn(line)
            talk.warn(line)
