"""`retrain --test-noise FOLDER --snr 20,10,0`: the same networks on the same test clips, with noise.

Nothing is trained or chosen with noise: the finished networks, with their own normalisers, predict the test clips
once more at each SNR. The score without noise stays the headline. A table at one SNR of one training is a file of
its own, written when it is whole; what is there is not computed again.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from audionas.audio.folds import OuterSplit, split_folder
from audionas.audio.manifest import Manifest
from audionas.audio.noise import NoiseAtSnr, NoiseFolder, read_noise_folder
from audionas.errors import RunError, SettingsError
from audionas.experiment.corpus import Corpus
from audionas.experiment.fold_rows import fold_rows
from audionas.experiment.genotype_sources import Source
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.score_means import mean_scores
from audionas.experiment.talk import Talk
from audionas.experiment.trained_network import WEIGHTS_FILE, chance_predictions, load_trained
from audionas.features import extractor_from_settings
from audionas.features.cache import ensure_features
from audionas.training.fit import NonFiniteLossError
from audionas.training.ledger import step
from audionas.training.measures import measures_of
from audionas.training.predictions import Predictions, joined
from audionas.training.tasks import TaskSeam

WHAT = (
    "pooled scores of the same networks on the same test clips with noise mixed in at each SNR (over the mean power of "
    "the whole clip); mean and sd over seeds; nothing was trained or chosen with this noise"
)


def parse_snr(text: str) -> tuple[float, ...]:
    """SNRs in dB from "20,10,0".

    Raises:
        SettingsError: not a list of numbers, a number twice, or one beyond +-100 dB.
    """
    try:
        found = tuple(float(word) for word in text.split(","))
    except ValueError as why:
        raise SettingsError(f"--snr: got {text!r}, must be numbers in dB with commas between, as 20,10,0") from why
    if any(not math.isfinite(snr) or abs(snr) > 100 for snr in found):
        raise SettingsError(f"--snr: got {text!r}, each must be from -100 to 100 dB")
    if len(set(found)) < len(found):
        raise SettingsError(f"--snr: got {text!r}, a number stands twice")
    return tuple(0.0 if snr == 0 else snr for snr in found)


def noise_options(
    folder: Path | None, snr_db: Sequence[float], manifest: Manifest, features_folder: Path, talk: Talk
) -> dict[str, Any] | None:
    """What `run.json` says of the noise, read before anything is trained; None without noise.

    Raises:
        SettingsError: one of --test-noise and --snr without the other.
        AudioError: the folder holds no usable noise.
        ManifestError: a file of noise is a clip of the corpus.
    """
    if folder is None and not snr_db:
        return None
    if folder is None or not snr_db:
        raise SettingsError("--test-noise FOLDER and --snr 20,10,0 need each other")
    noise = _read(folder.resolve(), features_folder, talk)
    noise.refuse_clips_of(manifest)
    return {
        "folder": str(noise.root),
        "sha256": noise.sha256,
        "n_files": len(noise.files),
        "snr_db": list(snr_db),
    }


def predict_with_noise(
    run: RunFolder,
    corpora: Mapping[str, Corpus],
    splits: Sequence[OuterSplit],
    sources: Mapping[str, Source],
    talk: Talk,
) -> None:
    """The tables of predictions at each SNR, as far as they are missing; none where no noise was asked for.

    Raises:
        RunError: the folder of noise has changed since the run began.
    """
    options = run.record["options"].get("test_noise")
    if not options:
        return
    noise = _read(Path(options["folder"]), Path(run.record["features_folder"]), talk)
    if noise.sha256 != options["sha256"]:
        raise RunError(f"{noise.root}: this noise has changed since the run began; put the old files back")
    with step("test noise"):
        for number, snr_db in enumerate(options["snr_db"], start=1):
            _predict(run, corpora, splits, sources, NoiseAtSnr(noise, snr_db), talk)
            talk.progress("test noise", number, len(options["snr_db"]))


def robustness(run: RunFolder, splits: Sequence[str], task: TaskSeam) -> dict[str, Any]:
    """`robustness` for `metrics.json` from the tables at each SNR; empty where no noise was asked for.

    Args:
        splits: those of the headline.
    """
    options = run.record["options"].get("test_noise")  # a run of before test noise has none
    if not options:
        return {}
    rows = []
    for snr_db in options["snr_db"]:
        each = [
            joined([_read_table(run, name, seed, snr_db) for name in splits], "test") for seed in run.record["seeds"]
        ]
        records = [task.metrics(found.truth, found.scores, found.labels).as_record() for found in each]
        rows.append({"snr_db": snr_db, "n_clips": len(each[0].clips), **mean_scores(records)})
    return {"robustness": {
        "what": WHAT, "noise": options, "splits": list(splits), "seeds": run.record["seeds"], "rows": rows,
    }}  # fmt: skip


def noise_lines(metrics: Mapping[str, Any]) -> list[str]:
    """One line an SNR for a person."""
    rows = (metrics.get("robustness") or {}).get("rows") or []
    return [
        f"with test noise at {row['snr_db']:g} dB SNR: "
        + ", ".join(f"{each.name} {_text(row, each.key)}" for each in measures_of(metrics))
        for row in rows
    ]


def _text(row: Mapping[str, Any], name: str) -> str:
    spread = row[f"{name}_sd"]
    return f"{row[name]:.3f}" + (f" +- {spread:.3f}" if spread is not None else "")


def _read(folder: Path, features_folder: Path, talk: Talk) -> NoiseFolder:
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    return read_noise_folder(folder, features_folder / f"noise-{name}.jsonl", talk.progress)


def table_name(snr_db: float) -> str:
    """Name of the table of predictions at one SNR."""
    return f"predictions_snr_{snr_db:g}.csv"


def _table_path(run: RunFolder, split: str, seed: int, snr_db: float) -> Path:
    return run.path / split_folder(split) / f"seed_{seed}" / table_name(snr_db)


def _read_table(run: RunFolder, split: str, seed: int, snr_db: float) -> Predictions:
    return Predictions.read(_table_path(run, split, seed, snr_db))


def _predict(
    run: RunFolder,
    corpora: Mapping[str, Corpus],
    splits: Sequence[OuterSplit],
    sources: Mapping[str, Source],
    treatment: NoiseAtSnr,
    talk: Talk,
) -> None:
    """Every (split, seed) at one SNR that has no table yet."""
    for split in splits:
        todo = [s for s in run.record["seeds"] if not _table_path(run, split.name, s, treatment.snr_db).exists()]
        if not todo:
            continue
        corpus = noisy_test_corpus(corpora[split.name], split, treatment, talk)
        rows = list(range(len(split.test)))
        for seed in todo:
            path = _table_path(run, split.name, seed, treatment.snr_db)
            clean = corpora[split.name].manifest
            train = fold_rows(clean, split.search, split.test, split.dev, run.record["select"], seed).train
            targets = clean.targets[list(train)]
            _predict_one(run, sources[split.name], corpus, rows, path.parent, targets).write(path)


def noisy_test_corpus(corpus: Corpus, split: OuterSplit, treatment: NoiseAtSnr, talk: Talk) -> Corpus:
    """The test clips of a split alone, in the order of `split.test`, with noise."""
    clips = tuple(corpus.manifest.clips[row] for row in split.test)
    manifest = replace(corpus.manifest, clips=clips)
    extractor = extractor_from_settings(corpus.settings, "features")
    features = ensure_features(
        manifest, extractor, corpus.features_folder, treatment=treatment, on_progress=talk.progress
    )
    return replace(corpus, manifest=manifest, features=features)


def _predict_one(
    run: RunFolder, source: Source, corpus: Corpus, rows: list[int], folder: Path, targets: np.ndarray
) -> Predictions:
    """A training that diverged, then or now, is scored as chance, as it is without noise."""
    if not (folder / WEIGHTS_FILE).is_file():
        return chance_predictions(corpus.manifest, rows, targets)
    auxiliary = run.record["options"]["auxiliary"]
    trained = load_trained(folder, source.genotype, corpus, auxiliary=auxiliary, device=run.record["device"])
    try:
        return trained.predict(corpus, rows)
    except NonFiniteLossError:
        return chance_predictions(corpus.manifest, rows, targets)
