"""The work of one `fit`: prepare the clips, search, retrain under the folds, and train the final model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audionas.audio.manifest import Manifest
from audionas.estimators.log_talk import LogTalk


@dataclass(frozen=True)
class SearchPlan:
    """What the estimator's parameters ask for; None and defaults as `audionas search` and `retrain` have them."""

    space: str
    strategy: str
    features: str | None
    epochs: int | None
    trials: int | None
    retrain_epochs: int | None
    folds: int
    seeds: int
    seed: int
    device: str
    threads: int | None


def searched_model(manifest: Manifest, plan: SearchPlan, folder: Path) -> Path:
    """The folder of the final model; prepared clips, search and retraining lie beside it in `folder`.

    Raises:
        AudionasError: of its kinds, for clips, groups or settings that cannot be used.
    """
    from audionas.experiment.final_model import FINAL
    from audionas.experiment.prepare import prepare_clips
    from audionas.experiment.retrain import DEFAULT_EPOCHS, RetrainRequest, retrain
    from audionas.experiment.search import SearchRequest, search

    talk = LogTalk()
    prepared = prepare_clips(manifest, folder / "prepared", plan.folds, talk.progress)
    epochs = DEFAULT_EPOCHS if plan.retrain_epochs is None else plan.retrain_epochs
    run = search(
        SearchRequest(
            prepared.folder, plan.space, plan.strategy, plan.features, plan.seed, plan.epochs, plan.trials,
            device=plan.device, threads=plan.threads, out=folder / "search",
            argv=_search_words(plan, prepared.folder, folder / "search"),
        ),
        talk,
    )  # fmt: skip
    retrained = retrain(
        RetrainRequest(
            (run,), epochs=epochs, seeds=plan.seeds, final=True, device=plan.device, threads=plan.threads,
            argv=("retrain", str(run), "--epochs", str(epochs), "--seeds", str(plan.seeds), "--final",
                  "--device", plan.device, *_threads(plan)),
        ),
        talk,
    )  # fmt: skip
    return retrained / FINAL


def _search_words(plan: SearchPlan, data: Path, out: Path) -> tuple[str, ...]:
    """The command line that does the same search."""
    given = {"--features": plan.features, "--epochs": plan.epochs, "--trials": plan.trials}
    words = [word for flag, value in given.items() if value is not None for word in (flag, str(value))]
    return (
        "search", str(data), "--space", plan.space, "--strategy", plan.strategy, "--seed", str(plan.seed), *words,
        "--device", plan.device, *_threads(plan), "--out", str(out),
    )  # fmt: skip


def _threads(plan: SearchPlan) -> tuple[str, ...]:
    return () if plan.threads is None else ("--threads", str(plan.threads))
