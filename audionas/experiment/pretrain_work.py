"""The work of `audionas pretrain`: each split's training, then its weights, its genotype and what it has read."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from audionas.audio.folds import OuterSplit, outer_splits, split_folder
from audionas.audio.manifest import Manifest
from audionas.experiment.machine import use_threads
from audionas.experiment.prepare import common_rate
from audionas.experiment.pretrain_pool import ENCODER_GROUPS_BYTES, FEATURES, Pool, check_left_out, stored_features
from audionas.experiment.run_folder import OWN_FIELDS, RUN_FILE, RunFolder
from audionas.experiment.talk import Talk
from audionas.features import Extractor, load_features
from audionas.features.fop_network import FopSizes, NextFrame
from audionas.features.fop_weights import WEIGHTS_FILE, FopFacts, save_fop_weights
from audionas.quantities import count_text
from audionas.records import read_jsonl, validate, write_bytes
from audionas.seeding import seed_torch
from audionas.spaces.baseline_genotype import BaselineGenotype
from audionas.spaces.genotype_file import save_genotype
from audionas.training.batches import Normaliser
from audionas.training.frame_batches import FrameClips
from audionas.training.pretraining import BEST_FILE, PURPOSE, VALIDATION, PretrainingPlan, pretrain_network

LONGEST_S = 15.0  # of longer clips a part, drawn anew each epoch
MOST_GROUPS_BYTES = 600_000  # of a genotype file of at most 1 MB


@dataclass(frozen=True)
class _Lesson:
    """What one network learns from: rows of the pool, and the split whose test groups are not among them."""

    pool: Pool
    rows: list[int]
    tested: Manifest | None = None
    split: OuterSplit | None = None

    @property
    def left_out(self) -> str:
        """In words, which clips are not learnt from."""
        if self.tested is None:
            return "nothing left out"
        n_left_out = len(self.pool.manifest) - len(self.rows)
        return f"{count_text(n_left_out, 'clip')} of tested groups of {self.tested.root.name} left out"

    def extractor(self) -> Extractor:
        """Features for the retraining: of the corpus to be tested, as they would be without a pre-training."""
        manifest, rows = (
            (self.tested, self.split.search) if self.tested and self.split else (self.pool.manifest, self.rows)
        )
        return load_features(FEATURES).resolve(common_rate(manifest), [manifest.clips[row].duration_s for row in rows])


def pretrain_all(run: RunFolder, talk: Talk) -> Path:
    """Every split of the run, or the run itself; finished ones are left as they are."""
    use_threads(run.record["threads"])
    with run.working():
        pool = Pool.load(run.record["data"], run.path, talk)
        if not run.record.get("splits"):
            _pretrain_one(run, _Lesson(pool, list(range(len(pool.manifest)))), None, talk)
            return run.path
        tested = Manifest.read(run.path)
        done: dict[tuple[int, ...], Path] = {}
        for split in outer_splits(tested):
            inner, rows = _inner_run(run, split.name), pool.rows_without(tested, split.test)
            check_left_out(pool, rows, tested, split.test)
            if inner.record["status"] != "done":
                talk.say(f"split {split.name}:")
                with inner.working():
                    _pretrain_one(inner, _Lesson(pool, rows, tested, split), done.get(tuple(rows)), talk)
            done.setdefault(tuple(rows), inner.path)
    return run.path


def _inner_run(run: RunFolder, name: str) -> RunFolder:
    path = run.path / split_folder(name)
    if (path / RUN_FILE).exists():
        return RunFolder.open(path, "pretrain")
    fields = {key: value for key, value in run.record.items() if key not in OWN_FIELDS}
    return RunFolder.create(path, "pretrain", run.record["argv"], split=name, **fields)


def _pretrain_one(run: RunFolder, lesson: _Lesson, twin: Path | None, talk: Talk) -> None:
    """One network, or a copy of the twin: a split that leaves out the same clips (of other corpora, none)."""
    talk.say(f"learning from {lesson.pool.sentence(lesson.rows, lesson.left_out)}")
    if twin is None:
        _train(run, lesson, talk)
    else:
        for name in (WEIGHTS_FILE, "history.jsonl"):
            write_bytes(run.path / name, (twin / name).read_bytes())
    digest = hashlib.sha256((run.path / WEIGHTS_FILE).read_bytes()).hexdigest()
    history = read_jsonl(run.path / "history.jsonl")
    best = min(history, key=lambda record: record.get(VALIDATION, -record["epoch"]))
    facts = {"epochs_run": len(history), "epoch_used": best["epoch"], VALIDATION: best.get(VALIDATION)}
    genotype = BaselineGenotype.of("fop", {**run.record["sizes"], "pretrained": digest})
    save_genotype(genotype, run.path / "genotype.json", _provenance(run, lesson, facts))
    run.save(**facts, weights_sha256=digest, copied_from=twin.name if twin else None)
    for left in (run.path / "checkpoint", run.path / BEST_FILE):
        shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
    error = "" if facts[VALIDATION] is None else f", validation error {facts[VALIDATION]:.4f}"
    talk.say(f"{count_text(len(history), 'epoch')}, taken that of number {best['epoch'] + 1}{error}")


def _train(run: RunFolder, lesson: _Lesson, talk: Talk) -> None:
    pool, plan = lesson.pool, PretrainingPlan(**run.record["plan"])
    train, validation = pool.divided(lesson.rows, plan.seed)
    normaliser = Normaliser.fit(pool.features, train, "per_feature", pool.own_frames)
    seed_torch(plan.seed, PURPOSE, "weights")
    sizes = validate(FopSizes, run.record["sizes"], str(run.path / RUN_FILE))
    features = stored_features()
    network = NextFrame(sizes.encoder(features["n_mels"]))
    longest = round(LONGEST_S * 1000 / features["hop_ms"])
    clips = FrameClips(pool.features, pool.own_frames, normaliser, longest)

    def tell(epoch: int, _: dict[str, float]) -> None:
        talk.progress("pre-training", epoch + 1, plan.epochs)

    pretrain_network(network, clips, train, validation, plan, run.path, tell)
    facts = FopFacts(
        sizes=sizes,
        features=features,
        trained_on=pool.sentence(lesson.rows, lesson.left_out),
        groups_read=tuple(pool.groups_read(lesson.rows, ENCODER_GROUPS_BYTES)),
        speaker_independence_checked=pool.manifest.speaker_independence_checked,
    )
    mean, std = (torch.from_numpy(value) for value in (normaliser.mean, normaliser.std))
    save_fop_weights(run.path / WEIGHTS_FILE, network, mean, std, facts)


def _provenance(run: RunFolder, lesson: _Lesson, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a retraining must know: which audio was read, which split was left out, the features."""
    manifest, extractor = lesson.tested or lesson.pool.manifest, lesson.extractor()
    return {
        "manifest_sha256": manifest.sha256,
        "dataset": manifest.dataset,
        **({"split_left_out": lesson.split.name} if lesson.split else {}),
        "groups_read": lesson.pool.groups_read(lesson.rows, MOST_GROUPS_BYTES),
        "speaker_independence_checked": lesson.pool.manifest.speaker_independence_checked,
        "features": extractor.settings(),
        "input_shape": list(extractor.input_shape),
        "labels": list(lesson.tested.labels) if lesson.tested else [],
        "seed": run.record["seed"],
        "pretraining": {
            "trained_on": lesson.pool.sentence(lesson.rows, lesson.left_out),
            "loss": run.record["plan"]["loss"],
            **facts,
        },
        "versions": run.record["versions"],
        "created": run.record["created"],
    }
