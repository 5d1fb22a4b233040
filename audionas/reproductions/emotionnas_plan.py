"""The plan of a reproduction of EmotionNAS: what the user asked for, and the settings that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from audionas.errors import SettingsError, unknown
from audionas.experiment.search_engine import EngineRequest, check_trial_engine
from audionas.records import Record

CORPORA = ("iemocap", "emodb")
PADDINGS = ("masked", "unmasked")
INNER_FOLDS = 3
FRAME_EPOCHS = (10, 20, 40)


@dataclass(frozen=True)
class ReproduceRequest:
    """What the user asked for; None and defaults as `audionas reproduce --help` says."""

    data: Path | None = None
    corpus: str = "iemocap"
    smoke: bool = False
    space: str | None = None
    strategy: str | None = None
    protocol: str | None = None
    frames: tuple[str, ...] = ()
    n_layers: int | None = None
    hidden: int | None = None
    trials: int | None = None
    spectrogram_epochs: int | None = None
    seeds: int = 3
    workers: int = 1
    engine: EngineRequest = field(default_factory=EngineRequest)
    device: str = "cpu"
    threads: int | None = None
    out: Path | None = None
    argv: tuple[str, ...] = ("reproduce", "emotionnas")


class Plan(Record):
    """Every setting of a reproduction, as its `run.json` keeps it.

    Of several `frames` each split takes those whose best recipe has the lowest validation loss; of several
    `frame_epochs` what inner folds of its training clips choose, with padding masked; counted, the same number.
    `workers` are streams at a time; those of `engine` are trials at a time.
    """

    corpus: Literal["iemocap", "emodb"]
    protocol: str
    space: str
    strategy: str
    search_epochs: int | None
    frames: tuple[str, ...]
    n_layers: int
    hidden: int
    trials: int
    trial_epochs: int
    spectrogram_epochs: int
    frame_epochs: tuple[int, ...]
    select: Literal["last", "best"]
    seeds: int
    inner_folds: int
    workers: int
    engine: EngineRequest = EngineRequest()
    device: str
    threads: int | None
    is_smoke: bool


def make_plan(request: ReproduceRequest) -> Plan:
    """The plan of a request: the paper's settings, those that suit a small corpus, or a miniature.

    IEMOCAP: the paper's DARTS (alphas on the validation speaker, batch 64, 50 epochs), L=2 and h=256, each speaker
    of the left-out session tested once while the other validates. EMO-DB has 339 clips: there DARTS's published
    rate could not move the alphas, so the small space and the scaled rate are taken, and L=1, h=128; where no speaker
    validates (protocol `folds`), inner folds choose how many epochs the frame stream is retrained.

    Raises:
        SettingsError: the corpus or the engine is unknown, or a number is out of range.
    """
    if request.corpus not in CORPORA:
        raise SettingsError(f"--corpus: {unknown('corpus', request.corpus, CORPORA)}")
    for flag, number in (
        ("--seeds", request.seeds), ("--workers", request.workers), ("--trials", request.trials),
        ("--spectrogram-epochs", request.spectrogram_epochs),
    ):  # fmt: skip
        if number is not None and number < 1:
            raise SettingsError(f"{flag}: got {number}, must be 1 or more")
    is_paper = request.corpus == "iemocap" and not request.smoke
    check_trial_engine(request.engine, request.threads, "catalogue")
    settings: dict[str, Any] = {
        "protocol": "speaker_pairs" if not request.smoke else "folds",
        "space": "darts_cnn" if is_paper else "darts_cnn_small",
        "strategy": "darts_emotionnas" if is_paper else "darts_small_data",
        "search_epochs": 1 if request.smoke else None,
        "frames": ("log_mel_frames",),
        "n_layers": 2 if is_paper else 1,
        "hidden": 256 if is_paper else 128,
        "trials": 20,
        "trial_epochs": 50 if is_paper else 10,
        "spectrogram_epochs": 50 if is_paper else 60,
    }
    if request.smoke:
        settings |= {"hidden": 8, "trials": 2, "trial_epochs": 1, "spectrogram_epochs": 1}
    asked = ("protocol", "space", "strategy", "n_layers", "hidden", "trials", "spectrogram_epochs")
    settings |= {name: _placed(value) for name in asked if (value := getattr(request, name)) is not None}
    if request.frames:
        settings["frames"] = tuple(map(_placed, request.frames))
    has_dev = settings["protocol"].startswith("speaker_pairs")
    settings["frame_epochs"] = _frame_epochs(request, is_paper, has_dev)
    return Plan(
        corpus=request.corpus,
        select="best" if has_dev else "last",
        seeds=1 if request.smoke else request.seeds,
        inner_folds=2 if request.smoke else INNER_FOLDS,
        workers=request.workers,
        engine=request.engine,
        device=request.device,
        threads=request.threads,
        is_smoke=request.smoke,
        **settings,
    )


def _frame_epochs(request: ReproduceRequest, is_paper: bool, has_dev: bool) -> tuple[int, ...]:
    if request.smoke:
        return (1,)
    if is_paper:
        return (50,)
    return (20,) if has_dev else FRAME_EPOCHS


def _placed(value: Any) -> Any:
    """The path of a file made absolute, so that a resume from elsewhere finds it; anything else as it is."""
    return str(Path(value).resolve()) if isinstance(value, str) and Path(value).is_file() else value
