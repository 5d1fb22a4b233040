"""The steps that only the paper of Future Observation Prediction has: pre-training, and hypercolumns."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from audionas.experiment.hypercolumns import HypercolumnRequest, hypercolumns, resume_hypercolumns
from audionas.experiment.pretrain import PretrainRequest, pretrain, resume_pretraining
from audionas.experiment.run_step import run_step, words
from audionas.experiment.talk import Talk
from audionas.reproductions.hand_made_plan import HandMadePlan
from audionas.training.pretraining import PretrainingPlan

Pretraining = Literal["without_test_speakers", "with_test_speakers"]
EPOCHS = 100  # at most; early stopping ends it
HYPERCOLUMNS = "hypercolumns"


def pretraining_folder(out: Path, kind: str) -> Path:
    """Where the weights of a kind of pre-training lie."""
    return out / f"{kind}_pretraining"


def pretrained(kind: Pretraining, plan: HandMadePlan, out: Path, talk: Talk) -> None:
    """Pre-train on the corpus, once for each split without its test speakers, or once on all of it."""
    data = out / "prepared"
    is_clean = kind == "without_test_speakers"

    def start(place: Path) -> None:
        epochs = 1 if plan.is_smoke else EPOCHS
        flags = {
            "--epochs": epochs, "--device": plan.device, "--threads": plan.threads, "--out": place,
            "--exclude-test-of": data if is_clean else None,
        }  # fmt: skip
        openly = [] if is_clean else ["--include-test-speakers"]
        request = PretrainRequest(
            data=(data,),
            plan=PretrainingPlan(epochs=epochs, device=plan.device),
            exclude_test_of=data if is_clean else None,
            include_test_speakers=not is_clean,
            threads=plan.threads,
            out=place,
            argv=("pretrain", str(data), *words(flags), *openly),
        )
        pretrain(request, talk)

    talk.say(f"{plan.paper}: pre-training {kind.replace('_', ' ')}")
    run_step(pretraining_folder(out, kind), start, resume_pretraining, talk)


def columns(plan: HandMadePlan, out: Path, talk: Talk) -> None:
    """Every level of the encoder that left the test speakers out, under every classifier (the paper's table 2)."""
    data, source = out / "prepared", pretraining_folder(out, "without_test_speakers")

    def start(place: Path) -> None:
        epochs = 1 if plan.is_smoke else next(iter(plan.epochs.values()))
        flags = {
            "--seeds": plan.seeds, "--epochs": epochs, "--device": plan.device, "--threads": plan.threads,
            "--out": place,
        }  # fmt: skip
        request = HypercolumnRequest(
            source, data, seeds=plan.seeds, epochs=epochs, device=plan.device, threads=plan.threads, out=place,
            argv=("hypercolumns", str(source), str(data), *words(flags)),
        )  # fmt: skip
        hypercolumns(request, talk)

    talk.say(f"{plan.paper}: hypercolumns")
    run_step(out / HYPERCOLUMNS, start, resume_hypercolumns, talk)
