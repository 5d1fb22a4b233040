"""`audionas hypercolumns`: every level of a pre-trained encoder under every classifier, as one table.

Source: Lian et al. 2019, section 2.2.2 and table 2. For each outer split the encoder is the one that left the split's
test speakers out. A support vector machine and a random forest see the mean over time of a level; `attention_lstm` is
the hand-made system `lstm` (additive attention over frames) on the frames themselves, an ordinary retraining.

    OUT/run.json  manifest.csv  tables.json  tables.md
    OUT/<level>_<classifier>/split_<name>/seed_<n>/predictions.csv   metrics.json
    OUT/<level>_attention_lstm/     # a retraining
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from audionas.audio.folds import OuterSplit, outer_splits, split_folder
from audionas.audio.manifest import Manifest
from audionas.errors import RunError, SettingsError, unknown
from audionas.experiment.corpus import Corpus, data_record, load_corpus
from audionas.experiment.encoder_groups import encoder_facts
from audionas.experiment.hypercolumn_tables import write_tables
from audionas.experiment.leaks import refuse_leak
from audionas.experiment.machine import use_threads
from audionas.experiment.prepare import PrepareOptions, common_rate, prepare
from audionas.experiment.provenance import groups_seen
from audionas.experiment.retrain import RetrainRequest, resume_retraining, retrain
from audionas.experiment.retrain_metrics import metrics_document, read_fold_scores
from audionas.experiment.run_folder import RunFolder, fresh_folder, refuse_occupied
from audionas.experiment.run_step import run_step, words
from audionas.experiment.talk import Silent, Talk
from audionas.features import load_features
from audionas.records import write_json
from audionas.spaces import BaselineGenotype
from audionas.training.column_classifiers import COLUMN_CLASSIFIERS
from audionas.training.devices import gpu_index
from audionas.training.predictions import average_windows
from audionas.training.tasks import task_of

KIND = "hypercolumns"
LEVELS = ("F", "h1", "h2", "h_add", "h_concat")
ATTENTION_LSTM = "attention_lstm"
CLASSIFIERS = (*COLUMN_CLASSIFIERS, ATTENTION_LSTM)


@dataclass(frozen=True)
class HypercolumnRequest:
    """What the user asked for; defaults as `audionas hypercolumns --help` says. `epochs` are those of the LSTM."""

    pretrained: Path
    data: Path
    levels: tuple[str, ...] = LEVELS
    classifiers: tuple[str, ...] = CLASSIFIERS
    seeds: int = 3
    epochs: int = 60
    device: str = "cpu"
    threads: int | None = None
    out: Path | None = None
    preparation: PrepareOptions = field(default_factory=PrepareOptions)
    argv: tuple[str, ...] = ("hypercolumns",)


def hypercolumns(request: HypercolumnRequest, talk: Talk | None = None) -> Path:
    """Train and score every pair of level and classifier; returns the run folder, which holds `tables.md`.

    Raises:
        AudionasError: of its kinds, for anything in the request or the data that cannot be used.
        KeyboardInterrupt: stopped; `resume_hypercolumns` goes on.
    """
    talk = talk or Silent()
    _check(request)
    if request.out is not None:
        refuse_occupied(request.out)
    prepared = prepare(request.data, None, request.preparation, talk.progress)
    manifest = prepared.manifest
    if manifest.task != "classification":
        raise SettingsError(f"{manifest.root}: is a {manifest.task}; hypercolumns are for one class a clip")
    settings = {
        level: {split.name: _features(request.pretrained, level, manifest, split) for split in outer_splits(manifest)}
        for level in request.levels
    }
    out = request.out or fresh_folder(KIND)
    refuse_occupied(out)
    manifest.write(out)
    plan = {**asdict(request), "pretrained": str(request.pretrained.resolve())}
    kept = ("pretrained", "levels", "classifiers", "seeds", "epochs")
    run = RunFolder.create(
        out, KIND, list(request.argv),
        plan={key: plan[key] for key in kept},
        features={level: {name: each.settings() for name, each in own.items()} for level, own in settings.items()},
        features_folder=str(prepared.features_folder.resolve()),
        prepared=str(prepared.folder.resolve()),
        device=request.device,
        threads=request.threads or 1,
        data=data_record(manifest),
    )  # fmt: skip
    talk.say(f"run folder: {out} (after a stop: audionas hypercolumns --resume {out})")
    return _work(run, talk)


def resume_hypercolumns(path: Path, talk: Talk | None = None) -> Path:
    """Go on with a run that was stopped; what is scored is not trained again."""
    run = RunFolder.open(path, KIND)
    if run.record["status"] == "done":
        (talk or Silent()).say(f"{path}: these hypercolumns are done already")
        return path
    return _work(run, talk or Silent())


def _check(request: HypercolumnRequest) -> None:
    gpu_index(request.device)
    for name in request.classifiers:
        if name not in CLASSIFIERS:
            raise SettingsError(f"--classifiers: {unknown('classifier', name, CLASSIFIERS)}")
    for flag, number in (("--seeds", request.seeds), ("--epochs", request.epochs), ("--threads", request.threads)):
        if number is not None and number < 1:
            raise SettingsError(f"{flag}: got {number}, must be 1 or more")
    if (request.pretrained / "run.json").is_file():
        run = RunFolder.open(request.pretrained, "pretrain")
        if run.record["status"] != "done":
            raise RunError(f"{run.path}: this pre-training is not finished ({run.record['status']}); resume it first")


def _features(pretrained: Path, level: str, manifest: Manifest, split: OuterSplit) -> Any:
    """The extractor of a level for a split, with the weights that left it out, its length fitted without it."""
    asked = load_features(f"fop:{pretrained}@{level}").of_split(split.name)
    return asked.resolve(common_rate(manifest), [manifest.clips[row].duration_s for row in split.search])


def _work(run: RunFolder, talk: Talk) -> Path:
    use_threads(run.record["threads"])
    plan = run.record["plan"]
    with run.working():
        manifest = Manifest.read(run.path)
        for level in plan["levels"]:
            for classifier in plan["classifiers"]:
                place = run.path / f"{level}_{classifier}"
                if not (place / "metrics.json").is_file():
                    talk.say(f"{level}, {classifier}")
                    _score(run, manifest, level, classifier, place, talk)
        write_tables(run.path, plan)
    return run.path


def _score(run: RunFolder, manifest: Manifest, level: str, classifier: str, place: Path, talk: Talk) -> None:
    if classifier == ATTENTION_LSTM:
        run_step(place, lambda out: retrain(_lstm(run.record, level, out), talk), resume_retraining, talk)
        return
    splits, seeds = outer_splits(manifest), range(run.record["plan"]["seeds"])
    seen = {}
    for split in splits:
        settings = run.record["features"][level][split.name]
        corpus = load_corpus(manifest, Path(run.record["features_folder"]), settings, talk)
        _predict(corpus, split, classifier, seeds, place / split_folder(split.name))
        facts = encoder_facts(settings)
        seen[split.name] = groups_seen(manifest, split.test, facts.model_dump(mode="json")) if facts else []
    scores = read_fold_scores(place, splits, tuple(seeds), seen, task_of(manifest))
    write_json(place / "metrics.json", metrics_document(manifest, splits, scores, 0, {}))


def _predict(corpus: Corpus, split: OuterSplit, classifier: str, seeds: Sequence[int], folder: Path) -> None:
    """Predictions of the test clips by each seed; finished ones are left as they are."""
    places = {seed: folder / f"seed_{seed}" / "predictions.csv" for seed in seeds}
    left = {seed: path for seed, path in places.items() if not path.is_file()}
    if not left:
        return
    manifest = corpus.manifest
    refuse_leak(manifest, split.test, {"training": split.search})
    vectors = np.stack([corpus.own_block(row).mean(axis=2).ravel() for row in range(len(manifest))])
    groups = np.array([clip.group for clip in manifest.clips])
    for seed, path in left.items():
        scores = COLUMN_CLASSIFIERS[classifier](
            vectors, manifest.targets, groups, (split.search, split.test), len(manifest.labels), seed
        )
        average_windows(manifest, split.test, scores, "test").write(path)


def _lstm(record: Mapping[str, Any], level: str, out: Path) -> RetrainRequest:
    plan, features = record["plan"], f"fop:{record['plan']['pretrained']}@{level}"
    flags = {"--baseline": "lstm", "--features": features, "--epochs": plan["epochs"], "--seeds": plan["seeds"]}
    return RetrainRequest(
        (), Path(record["prepared"]), features, epochs=plan["epochs"], seeds=plan["seeds"], device=record["device"],
        threads=record["threads"], out=out, baseline=BaselineGenotype.of("lstm", {}),
        argv=("retrain", *words(flags), record["prepared"]),
    )  # fmt: skip
