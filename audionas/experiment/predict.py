"""`audionas predict MODEL FILES`: labels and probabilities of audio files, by a retraining's networks or an ONNX file.

Features, cut or padding, test windows and normaliser are those of the run's own evaluation, so that a network gives a
clip here what it gave it there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from audionas.audio.waveform import load_waveform
from audionas.errors import AudioError, RunError, SettingsError
from audionas.exchange.clip_windows import rates_of, score_clips, windows_of
from audionas.exchange.onnx_scorer import OnnxScorer
from audionas.exchange.scored_input import Fed, Scorer
from audionas.experiment.chosen_networks import Choice, choose_networks, scorer_of
from audionas.experiment.cuts import AudioFile, Cut, Segmenting, read_files
from audionas.experiment.machine import use_threads
from audionas.experiment.predicted import Predicted
from audionas.experiment.talk import Silent, Talk
from audionas.kernels import use_kernels
from audionas.quantities import count_text
from audionas.training.devices import gpu_index

ONNX = ".onnx"


@dataclass(frozen=True)
class PredictRequest:
    """What the user asked for; None and defaults as `audionas predict --help` says."""

    model: Path
    files: tuple[Path, ...]
    choice: Choice = field(default_factory=Choice)
    segmenting: Segmenting = field(default_factory=Segmenting)
    skip_bad: bool = False
    device: str = "cpu"
    threads: int = 1


def predict(request: PredictRequest, talk: Talk | None = None) -> Predicted:
    """Score every file, or every segment of it.

    Raises:
        RunError: there is no such model, or a score is not finite.
        AudioError: a file cannot be used, and `skip_bad` is false.
        SettingsError: options that exclude each other, or the extra `onnx` is not installed.
    """
    talk = talk or Silent()
    request.segmenting.check()
    if not request.files:
        raise SettingsError("nothing to predict: audionas predict MODEL FILES")
    scorer = open_scorer(request, talk)
    files, skipped = read_files(request.files, skip_bad=request.skip_bad)
    _tell(scorer, files, talk)
    cuts = [cut for file in files for cut in request.segmenting.cuts(file, scorer)]
    work = _Work(scorer, cuts, request.skip_bad, talk)
    scores = list(score_clips(scorer, work.fed()))
    skipped += work.faults.values()
    found = [(cut, each) for cut, each in zip(work.scored, scores, strict=True) if cut.file.path not in work.faults]
    if not found:
        raise AudioError(f"{skipped[0]} (none of {len(request.files)} files can be used)")
    for line in skipped:
        talk.warn(f"skipped: {line}")
    table = np.stack([each for _, each in found])
    if not np.isfinite(table).all():
        raise RunError(f"{request.model}: gives scores that are not finite; take other networks, or retrain")
    names = tuple(name for given in scorer.inputs for name in given.networks)
    return Predicted(scorer.task, scorer.labels, names, tuple(cut for cut, _ in found), table, tuple(skipped))


def open_scorer(request: PredictRequest, talk: Talk) -> Scorer:
    """The scorer of an ONNX file or of a retraining's folder.

    Raises:
        RunError: there is none.
        SettingsError: options that are not for it.
    """
    use_threads(request.threads)
    if request.model.is_file() or request.model.suffix == ONNX:
        if request.choice != Choice():
            raise SettingsError("--ensemble, --fold and --seed are for retrainings; an ONNX file holds its networks")
        if request.device != "cpu":
            raise SettingsError(f"--device {request.device}: ONNX files are run on the CPU; give the retraining")
        return OnnxScorer.open(request.model, request.threads)
    gpu_index(request.device)
    chosen = choose_networks(request.model, request.choice)
    use_kernels(None if request.device == "cpu" else "torch", talk.say)
    for name in chosen.diverged:
        talk.warn(f"{name}: without weights, as its training diverged; left out of the mean")
    return scorer_of(chosen, request.device)


def _tell(scorer: Scorer, files: Sequence[AudioFile], talk: Talk) -> None:
    names = [name for given in scorer.inputs for name in given.networks]
    shown = names[0] if len(names) == 1 else f"mean of {count_text(len(names), 'network')}"
    talk.say(f"{shown}; {count_text(len(scorer.labels), 'label')}: {', '.join(scorer.labels)}")
    wanted = max(rates_of(scorer.inputs))
    low = [file for file in files if file.rate_hz < wanted]
    if low:
        talk.warn(
            f"{count_text(len(low), 'file')} with less than the {wanted} Hz of the networks' training, e.g. "
            f"{low[0].path} with {low[0].rate_hz}: the upper band is empty"
        )


class _Work:
    """Features of the cuts, one after the other; `scored` are those that were handed out, `faults` by file."""

    def __init__(self, scorer: Scorer, cuts: Sequence[Cut], skip_bad: bool, talk: Talk) -> None:
        self._cuts, self._skip_bad, self._talk = cuts, skip_bad, talk
        self._extractors = [given.extractor for given in scorer.inputs]
        self._rates = rates_of(scorer.inputs)
        self.scored: list[Cut] = []
        self.faults: dict[Path, str] = {}

    def fed(self) -> Iterator[list[Fed]]:
        """What every input is fed of each cut; a file that turns out to be unusable ends there."""
        for number, cut in enumerate(self._cuts, start=1):
            if cut.file.path in self.faults:
                continue
            try:
                windows = self._windows(cut)
            except AudioError as why:
                if not self._skip_bad:
                    raise
                self.faults[cut.file.path] = str(why)
                continue
            self.scored.append(cut)
            yield windows
            self._talk.progress("clips", number, len(self._cuts))

    def _windows(self, cut: Cut) -> list[Fed]:
        path, duration_s = cut.file.path, 0.0 if cut.is_whole else cut.end_s - cut.start_s
        loaded = {rate: load_waveform(path, rate, cut.start_s, duration_s) for rate in self._rates}
        try:
            return [windows_of(each, loaded[each.rate_hz]) for each in self._extractors]
        except AudioError as why:  # shorter than one frame; an extractor does not know the file
            raise AudioError(f"{path}: {why}") from why
