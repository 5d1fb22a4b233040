"""`audionas evaluate RUN --on OTHER_DATA`: the networks of a retraining on another corpus, without training.

Features and normaliser are those of each network's own training. The final model is scored where there is one, else
every network by itself: their mean says what one such network does, and their sd is no interval, for networks that
share training clips and are scored on the same clips are not independent samples.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from audionas.audio.manifest import Manifest
from audionas.errors import ManifestError, RunError
from audionas.experiment.corpus import Corpus, data_record, load_corpus
from audionas.experiment.evaluated_networks import (
    EvaluatedNetwork,
    finished_retraining,
    groups_left_out,
    networks_of,
    rows_to_score,
)
from audionas.experiment.evaluation_metrics import evaluation_metrics, network_record
from audionas.experiment.label_map import map_labels
from audionas.experiment.machine import thread_count
from audionas.experiment.prepare import PrepareOptions, common_rate, prepare
from audionas.experiment.retrain_recipe import kind_of
from audionas.experiment.run_folder import RunFolder, fresh_folder, refuse_occupied
from audionas.experiment.run_start import start_computing
from audionas.experiment.talk import Silent, Talk
from audionas.experiment.trained_network import WEIGHTS_FILE, chance_predictions, load_trained
from audionas.features import extractor_from_settings
from audionas.quantities import count_text
from audionas.records import to_json, write_json
from audionas.training.devices import gpu_index
from audionas.training.fit import NonFiniteLossError
from audionas.training.predictions import Predictions


@dataclass(frozen=True)
class EvaluateRequest:
    """What the user asked for; defaults as `audionas evaluate --help` says."""

    run: Path
    data: Path
    label_map: dict[str, str] | None = None
    are_distinct: bool = False
    device: str = "cpu"
    threads: int | None = None
    out: Path | None = None
    preparation: PrepareOptions = field(default_factory=PrepareOptions)
    argv: tuple[str, ...] = ("evaluate",)


def evaluate(request: EvaluateRequest, talk: Talk | None = None) -> Path:
    """Score the networks of a retraining on another corpus; returns a folder that holds `metrics.json`.

    Raises:
        AudionasError: of its kinds, for anything in the request or the data that cannot be used.
        KeyboardInterrupt: stopped; `resume_evaluation` goes on.
    """
    talk = talk or Silent()
    gpu_index(request.device)
    if request.out is not None:
        refuse_occupied(request.out)
    retraining = finished_retraining(request.run)
    trained, networks = Manifest.read(retraining.path), networks_of(retraining)
    prepared = prepare(request.data, None, request.preparation, talk.progress)
    if prepared.manifest.task != trained.task:
        raise ManifestError(
            f"{request.data}: its task is {prepared.manifest.task}, that of the networks {trained.task}; give other "
            f"data, or --task {trained.task} where its labels are such"
        )
    mapped = map_labels(prepared.manifest, trained.labels, request.label_map)
    out = request.out or fresh_folder("evaluated")
    refuse_occupied(out)
    first = networks[0]
    shape = extractor_from_settings(first.features, str(first.folder)).input_shape
    mapped.manifest.write(out)
    run = RunFolder.create(
        out,
        "evaluate",
        list(request.argv),
        evaluated=str(retraining.path.resolve()),
        networks=[network.name for network in networks],
        label_map=mapped.label_map,
        labels_left_out=mapped.left_out,
        distinct_speakers=request.are_distinct,
        device=request.device,
        threads=thread_count(request.threads, list(shape), kind_of(first.source.genotype)),
        features=first.features,
        features_folder=str(prepared.features_folder.resolve()),
        trained_on=retraining.record["data"],
        data=data_record(mapped.manifest),
    )
    talk.say(f"run folder: {out} (after a stop: audionas evaluate --resume {out})")
    return _work(run, talk)


def resume_evaluation(path: Path, talk: Talk | None = None) -> Path:
    """Go on with an evaluation that was stopped; networks that have predicted do not predict again."""
    run = RunFolder.open(path, "evaluate")
    if run.record["status"] == "done":
        (talk or Silent()).say(f"{path}: this evaluation is done already")
        return path
    return _work(run, talk or Silent())


def _work(run: RunFolder, talk: Talk) -> Path:
    start_computing(run, talk)
    with run.working():
        other = Manifest.read(run.path)
        retraining = finished_retraining(Path(run.record["evaluated"]))
        networks = networks_of(retraining)
        if [network.name for network in networks] != run.record["networks"]:
            raise RunError(f"{retraining.path}: has other networks than when {run.path} began; evaluate it anew")
        _announce(run, other, networks, talk)
        corpora: dict[str, Corpus] = {}
        tables, records = [], []
        for number, network in enumerate(networks, start=1):
            key = to_json(network.features)
            if key not in corpora:
                corpora[key] = load_corpus(other, Path(run.record["features_folder"]), network.features, talk)
            scored = _score(run, retraining, corpora[key], network)
            if scored is not None:
                tables.append(scored[0])
                records.append(scored[1])
            talk.progress("networks", number, len(networks))
        if not records:
            raise RunError(
                f"{retraining.path}: its networks have been trained on, or chosen with, every group of {other.root}; "
                "evaluate on other speakers, or say --distinct-speakers where equal names are other people"
            )
        write_json(run.path / "metrics.json", evaluation_metrics(run.record, other, tables, records))
        run.save(notes=[*other.notes, *next(iter(corpora.values())).remarks()])
    return run.path


def _announce(run: RunFolder, other: Manifest, networks: list[EvaluatedNetwork], talk: Talk) -> None:
    pairs = ", ".join(f"{given} as {to}" for given, to in run.record["label_map"].items())
    talk.say(
        f"{count_text(len(networks), 'network')} on {count_text(len(other), 'row')} of {other.root}; labels: {pairs}"
    )
    lines = []
    if run.record["labels_left_out"]:
        left = ", ".join(f"{name} {count}" for name, count in run.record["labels_left_out"].items())
        lines.append(f"labels that are not mapped, their rows left out: {left}")
    wanted, has = extractor_from_settings(networks[0].features, "features").rate_hz, common_rate(other)
    if has < wanted:
        lines.append(f"the audio has {has} Hz, the networks were trained at {wanted} Hz: its upper band is empty")
    if not other.speaker_independence_checked:
        lines.append("groups of the other corpus are not known: only identical files are recognised as trained on")
    for line in lines:
        run.warn(line)
        talk.warn(line)


def _score(
    run: RunFolder, retraining: RunFolder, corpus: Corpus, network: EvaluatedNetwork
) -> tuple[Predictions, dict[str, Any]] | None:
    """The predictions of one network on the groups that are new to it, and its record; None where none is new."""
    other, trained = corpus.manifest, Manifest.read(retraining.path)
    out = groups_left_out(other, trained, network, corpus.silent_files(), run.record["distinct_speakers"])
    rows = rows_to_score(other, out)
    if not rows:
        return None
    path = run.path / network.name / "predictions.csv"
    has_failed = not (network.folder / WEIGHTS_FILE).is_file()
    if not path.exists():
        targets = trained.targets[list(network.seen)]
        _predict(run, retraining, corpus, network, rows, targets).write(path)
    found = Predictions.read(path)
    return found, network_record(other, found, network.name, out, is_chance=has_failed)


def _predict(
    run: RunFolder,
    retraining: RunFolder,
    corpus: Corpus,
    network: EvaluatedNetwork,
    rows: list[int],
    targets: np.ndarray,
) -> Predictions:
    """Predictions of these rows; `targets` are those of the clips that the network has seen."""
    if not (
        network.folder / WEIGHTS_FILE
    ).is_file():  # its training diverged: scored as chance, as in the retraining itself
        return chance_predictions(corpus.manifest, rows, targets)
    auxiliary = retraining.record["options"]["auxiliary"]
    loaded = load_trained(
        network.folder, network.source.genotype, corpus, auxiliary=auxiliary, device=run.record["device"]
    )
    try:
        return loaded.predict(corpus, rows)
    except NonFiniteLossError:
        return chance_predictions(corpus.manifest, rows, targets)
