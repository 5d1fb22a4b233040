"""`audionas pretrain`: Future Observation Prediction on audio without labels, without the speakers that will be tested.

With a corpus to be tested there is one pre-training for each of its outer splits, each on all data but the groups that
this split tests; `audionas retrain` then takes, for each split, the weights that never met its test speakers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from audionas.audio.folds import outer_splits, split_folder
from audionas.audio.manifest import Manifest
from audionas.errors import ManifestError, SettingsError
from audionas.experiment.corpus import data_record
from audionas.experiment.machine import thread_count
from audionas.experiment.prepare import Prepared, PrepareOptions, prepare
from audionas.experiment.pretrain_work import pretrain_all
from audionas.experiment.run_folder import RunFolder, fresh_folder, refuse_occupied
from audionas.experiment.talk import Silent, Talk
from audionas.experiment.unlabelled import prepare_unlabelled, without_labels
from audionas.features.fop_network import FopSizes
from audionas.features.fop_weights import WEIGHTS_FILE
from audionas.records import validate
from audionas.training.devices import gpu_index
from audionas.training.pretraining import LOSSES, PretrainingPlan

KIND = "pretrain"


@dataclass(frozen=True)
class PretrainRequest:
    """What the user asked for; `preparation` is that of `exclude_test_of`."""

    data: tuple[Path, ...]
    plan: PretrainingPlan
    exclude_test_of: Path | None = None
    include_test_speakers: bool = False
    sizes: Mapping[str, Any] = field(default_factory=dict)
    threads: int | None = None
    out: Path | None = None
    preparation: PrepareOptions = field(default_factory=PrepareOptions)
    argv: tuple[str, ...] = ("pretrain",)


def pretrain(request: PretrainRequest, talk: Talk | None = None) -> Path:
    """Pre-train a network, or one for each split of a corpus; returns the run folder.

    Raises:
        AudionasError: of its kinds, for anything in the request or the data that cannot be used.
        KeyboardInterrupt: stopped; `resume_pretraining` goes on.
    """
    talk = talk or Silent()
    _check(request)
    sizes = validate(FopSizes, dict(request.sizes), "--set")
    if request.out is not None:
        refuse_occupied(request.out)  # before the work of preparing
    corpus = (
        prepare(request.exclude_test_of, None, request.preparation, talk.progress) if request.exclude_test_of else None
    )
    data = [_prepared(place, request, corpus, talk) for place in request.data]
    out = request.out or fresh_folder(KIND)
    refuse_occupied(out)
    for k, prepared in enumerate(data, start=1):
        prepared.manifest.write(out / f"data_{k}")
    fields: dict[str, Any] = {
        "data": [
            data_record(each.manifest) | {"features_folder": str(each.features_folder.resolve())} for each in data
        ],
        "plan": asdict(request.plan),
        "sizes": sizes.model_dump(mode="json"),
        "seed": request.plan.seed,
        "device": request.plan.device,
        "threads": thread_count(request.threads, (1, 80, 1000)),
        "test_speakers": "included" if request.include_test_speakers else "left out" if corpus else "not known",
    }
    if corpus is not None:
        corpus.manifest.write(out)
        fields |= {
            "splits": [split.name for split in outer_splits(corpus.manifest)],
            "tested": data_record(corpus.manifest),
            "features_folder": str(corpus.features_folder.resolve()),
        }
    run = RunFolder.create(out, KIND, list(request.argv), **fields)
    _warn(run, [prepared.manifest for prepared in data], talk)
    talk.say(f"run folder: {out} (after a stop: audionas pretrain --resume {out})")
    return pretrain_all(run, talk)


def resume_pretraining(path: Path, talk: Talk | None = None) -> Path:
    """Go on with a pre-training that was stopped; finished splits are not trained again."""
    run = RunFolder.open(path, KIND)
    if run.record["status"] == "done":
        (talk or Silent()).say(f"{path}: this pre-training is done already")
        return path
    return pretrain_all(run, talk or Silent())


def weights_folders(run: RunFolder) -> list[Path]:
    """Where the weights of a finished pre-training lie: one folder, or one for each split."""
    splits = run.record.get("splits")
    return [run.path / split_folder(name) for name in splits] if splits else [run.path]


def _prepared(place: Path, request: PretrainRequest, corpus: Prepared | None, talk: Talk) -> Prepared:
    """One of the data; where it is the corpus itself, with the groups that the user gave that corpus."""
    if corpus is not None and request.exclude_test_of and place.resolve() == request.exclude_test_of.resolve():
        return Prepared(corpus.folder, without_labels(corpus.manifest))
    return prepare_unlabelled(place, request.preparation.skip_bad, talk.progress)


def _check(request: PretrainRequest) -> None:
    plan = request.plan
    gpu_index(plan.device)
    if not request.data:
        raise SettingsError("nothing to learn from: name folders of audio, tables or prepared folders")
    if len({place.resolve() for place in request.data}) < len(request.data):
        raise ManifestError(f"{request.data[0]}: data are named twice; name each folder once")
    if request.include_test_speakers and request.exclude_test_of is not None:
        raise SettingsError("--include-test-speakers and --exclude-test-of contradict each other; give one of them")
    if request.exclude_test_of is None and request.preparation != PrepareOptions(skip_bad=request.preparation.skip_bad):
        raise SettingsError("--folds, --group, --label and their like say how --exclude-test-of is divided; name it")
    if plan.loss not in LOSSES:
        raise SettingsError(f"--loss: got {plan.loss!r}; accepted: {', '.join(LOSSES)}")
    for flag, number in (("--epochs", plan.epochs), ("--patience", plan.patience), ("--batch-size", plan.batch_size)):
        if number < 1:
            raise SettingsError(f"{flag}: got {number}, must be 1 or more")
    if not plan.learning_rate > 0:
        raise SettingsError(f"--learning-rate: got {plan.learning_rate:g}, must be above 0")


def _warn(run: RunFolder, data: list[Manifest], talk: Talk) -> None:
    lines = []
    if run.record["test_speakers"] == "included":
        lines.append(
            "TEST SPEAKERS ARE INCLUDED: nothing is left out of this pre-training; scores on any fold whose clips "
            "were read are marked 'seen by the search' and are no headline"
        )
    unknown = [manifest.root.name for manifest in data if not manifest.speaker_independence_checked]
    if unknown and run.record["test_speakers"] == "left out":
        lines.append(
            f"speakers are not known in {', '.join(unknown)}: a test speaker is found there by identical files only"
        )
    for line in lines:
        run.warn(line)
        talk.warn(line)


__all__ = ["KIND", "WEIGHTS_FILE", "PretrainRequest", "pretrain", "resume_pretraining", "weights_folders"]
