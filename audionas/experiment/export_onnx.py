"""`audionas export RETRAINED --to onnx`: trained networks in one ONNX file, compared with torch first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from audionas import __version__
from audionas.audio.manifest import Manifest
from audionas.errors import AudionasError, RunError
from audionas.exchange.onnx_file import SCHEMA_VERSION, OnnxDescription, ParityCheck, need_onnx
from audionas.exchange.onnx_graph import described, onnx_model
from audionas.exchange.scored_input import ScoredInput
from audionas.exchange.torch_scorer import TorchScorer
from audionas.experiment.chosen_networks import Choice, ChosenNetworks, choose_networks, genotypes_of, scorer_of
from audionas.experiment.final_model import FINAL
from audionas.experiment.onnx_parity import checked
from audionas.experiment.talk import Silent, Talk
from audionas.quantities import count_text
from audionas.records import read_json, write_bytes


@dataclass(frozen=True)
class OnnxExport:
    """The file, what it says of itself, and how many frames each input takes."""

    path: Path
    description: OnnxDescription

    def lines(self) -> list[str]:
        """What a person should know of it."""
        names = [name for given in self.description.inputs for name in given.networks]
        check = self.description.check
        assert check is not None
        shown = names[0] if len(names) == 1 else f"{count_text(len(names), 'network')}, scores averaged"
        return [
            f"{self.path}: {shown}; {count_text(len(self.description.labels), 'label')}",
            *(_input_line(given) for given in self.description.inputs),
            f"checked by onnxruntime on {check.on}: largest difference {check.largest_difference:.2g} "
            f"(accepted: {check.accepted:g})",
            f"next: audionas predict {self.path} FILES",
        ]


def export_onnx(path: Path, choice: Choice, out: Path | None = None, talk: Talk | None = None) -> OnnxExport:
    """Write the networks of a retraining as ONNX; by default into its folder.

    Raises:
        RunError: there are no such networks, torch cannot export them, or onnxruntime gives other scores.
        SettingsError: options that exclude each other, or the extra `onnx` is not installed.
    """
    talk = talk or Silent()
    need_onnx("onnx", "onnxscript", "onnxruntime")
    if out is not None and out.is_dir():
        raise AudionasError(f"{out}: is a folder; name a file")
    chosen = choose_networks(path, choice)
    for name in chosen.diverged:
        talk.warn(f"{name}: without weights, as its training diverged; left out of the mean")
    scorer = scorer_of(chosen)
    model, inputs = _graph(scorer, talk)
    scorer = replace(scorer, inputs=inputs)
    check = checked(model, scorer, Manifest.read(chosen.run.path), str(chosen.run.path))
    description = _description(chosen, scorer, check)
    target = out or chosen.run.path / f"{choice.name}.onnx"
    write_bytes(target, described(model, description))
    return OnnxExport(target, description)


def _graph(scorer: TorchScorer, talk: Talk) -> tuple[bytes, tuple[ScoredInput, ...]]:
    """The model; with frames fixed to those of training where torch cannot export it otherwise."""
    fixed = tuple(given.model_copy(update={"is_any_length": False}) for given in scorer.inputs)
    inputs = tuple(f if given.shape[2] == 1 else given for given, f in zip(scorer.inputs, fixed, strict=True))
    try:
        return onnx_model(scorer.ensemble, inputs), inputs
    except RunError as why:
        if inputs == fixed:
            raise
        talk.warn(f"{why}; exported for its own number of frames")
    return onnx_model(scorer.ensemble, fixed), fixed


def _input_line(given: ScoredInput) -> str:
    channels, features, frames = given.shape
    shape = f"(batch, {channels}, {features}, {'frames' if given.is_any_length else frames})"
    own = f", {given.lengths} (batch,) int64: own frames of each" if given.lengths else ""
    return f"input {given.features} {shape} float32, not normalised{own}"


def _description(chosen: ChosenNetworks, scorer: TorchScorer, check: ParityCheck) -> OnnxDescription:
    return OnnxDescription(
        schema_version=SCHEMA_VERSION,
        audionas=__version__,
        task=scorer.task,
        labels=scorer.labels,
        inputs=scorer.inputs,
        genotypes=genotypes_of(chosen),
        longest_s=scorer.longest_s,
        expected=_expected(chosen),
        check=check,
    )


def _expected(chosen: ChosenNetworks) -> dict[str, Any] | None:
    """The k-fold estimate of a final model; a fold's network and an ensemble have none."""
    if chosen.networks[0].name != FINAL:
        return None
    return dict(read_json(chosen.networks[0].folder / "model.json", "model file")["expected"])
