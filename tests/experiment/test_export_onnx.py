"""A retraining as one ONNX file: compared with torch, enough alone for `predict`, and refused where it cannot be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from audionas import __version__
from audionas.audio.manifest import Manifest
from audionas.errors import AudionasError, RunError, SettingsError
from audionas.exchange import onnx_file
from audionas.exchange.scored_input import ScoredInput
from audionas.experiment import export_onnx as export_module
from audionas.experiment import onnx_parity
from audionas.experiment.chosen_networks import Choice
from audionas.experiment.export_onnx import OnnxExport, export_onnx
from audionas.experiment.predict import PredictRequest, predict
from audionas.spaces.genotype_file import load_genotype


def files_of(run: Path) -> tuple[Path, ...]:
    manifest = Manifest.read(run)
    return tuple(manifest.path_of(clip) for clip in manifest.clips)


@pytest.fixture(scope="module")
def final(uneven_once: Path, tmp_path_factory: pytest.TempPathFactory) -> OnnxExport:
    return export_onnx(uneven_once, Choice(), tmp_path_factory.mktemp("onnx") / "final.onnx")


def test_the_file_alone_predicts_what_the_retraining_does(final: OnnxExport, uneven_once: Path) -> None:
    files = files_of(uneven_once)
    expected, found = predict(PredictRequest(uneven_once, files)), predict(PredictRequest(final.path, files))
    assert (found.labels, found.task, found.networks, found.cuts) == (
        expected.labels, expected.task, expected.networks, expected.cuts
    )  # fmt: skip
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)


def test_it_says_what_it_is(final: OnnxExport, uneven_once: Path) -> None:
    model = onnx.load(final.path)
    onnx.checker.check_model(model)
    document = json.loads({entry.key: entry.value for entry in model.metadata_props}["audionas"])
    record = json.loads((uneven_once / "final" / "model.json").read_text())
    assert document["audionas"] == __version__
    assert (document["task"], document["labels"]) == ("classification", ["high", "low"])
    assert document["normaliser"] == "in the graph"
    (given,) = document["inputs"]
    assert (given["settings"], given["shape"]) == (record["features"], record["input_shape"])
    assert list(document["genotypes"]) == [load_genotype(uneven_once / "split_1" / "genotype.json").hash]
    assert document["longest_s"] == pytest.approx(0.8)
    assert document["expected"] == record["expected"]
    assert document["check"]["on"] == "8 clips of the run's corpus"
    assert document["check"]["largest_difference"] <= document["check"]["accepted"] == 1e-4
    shapes = {value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
              for value in model.graph.input}  # fmt: skip
    assert shapes == {"features": ["batch", 1, 8, "frames"], "lengths": ["batch"]}


def test_its_lines_tell_input_difference_and_what_is_next(final: OnnxExport) -> None:
    first, second, third, last = final.lines()
    assert first == f"{final.path}: final; 2 labels"
    assert second.startswith("input features (batch, 1, 8, frames) float32, not normalised, lengths (batch,) int64")
    assert third.startswith("checked by onnxruntime on 8 clips of the run's corpus: largest difference ")
    assert last == f"next: audionas predict {final.path} FILES"


def test_an_ensemble_of_different_inputs_predicts_the_mean_of_all_folds(uneven_once: Path, tmp_path: Path) -> None:
    """Three folds with inputs of three lengths; a clip has more windows in one than in another."""
    found = export_onnx(uneven_once, Choice(ensemble=True), tmp_path / "all.onnx")
    assert len(found.description.inputs) > 1
    files = files_of(uneven_once)
    by_torch = predict(PredictRequest(uneven_once, files, Choice(ensemble=True)))
    np.testing.assert_allclose(predict(PredictRequest(found.path, files)).scores, by_torch.scores, atol=1e-5)


@pytest.fixture
def _exported_already(final: OnnxExport, monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph of the final model, without the seconds that making it takes."""
    monkeypatch.setattr(export_module, "onnx_model", lambda *_: final.path.read_bytes())


@pytest.mark.usefixtures("_exported_already")
def test_without_audio_it_is_compared_on_random_input_and_says_so(
    uneven_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Path(shutil.copytree(uneven_once, tmp_path / "run"))
    monkeypatch.setattr(Manifest, "path_of", lambda self, clip: tmp_path / "gone" / clip.path)
    found = export_onnx(run, Choice())
    assert found.path == run / "final.onnx"
    assert found.description.check is not None
    assert found.description.check.on == "random input (audio of the run's corpus is missing)"


@pytest.mark.usefixtures("_exported_already")
def test_other_scores_than_torchs_are_refused_and_nothing_is_written(
    uneven_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = onnx_parity.run_session
    for added, told in ((2e-4, "0.0002"), (np.nan, "inf")):
        monkeypatch.setattr(
            onnx_parity, "run_session", lambda *given, more=added: [each + more for each in honest(*given)]
        )
        with pytest.raises(RunError, match=rf"onnxruntime gives other scores than torch: largest difference {told} on"):
            export_onnx(uneven_once, Choice(), tmp_path / "x.onnx")
    assert not (tmp_path / "x.onnx").exists()


def test_a_graph_that_torch_cannot_make_for_any_length_is_made_for_one(
    uneven_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where it cannot be made at all, the error is told."""
    asked: list[bool] = []

    def refuse(_: object, inputs: tuple[ScoredInput, ...]) -> bytes:
        asked.append(inputs[0].is_any_length)
        raise RunError("this network cannot be exported to ONNX (why)")

    monkeypatch.setattr(export_module, "onnx_model", refuse)
    with pytest.raises(RunError, match=r"cannot be exported to ONNX \(why\)"):
        export_onnx(uneven_once, Choice(), tmp_path / "x.onnx")
    assert asked == [True, False]


def test_a_file_is_named_after_its_networks() -> None:
    names = [Choice(), Choice(ensemble=True), Choice(fold="2"), Choice(fold="2", seed=1)]
    assert [choice.name for choice in names] == ["final", "ensemble", "fold_2", "fold_2_seed_1"]


def test_models_of_others_and_of_newer_versions_are_refused(final: OnnxExport, tmp_path: Path) -> None:
    model = onnx.load(final.path)
    document = json.loads(model.metadata_props[0].value)

    def refused(text: str | None) -> str:
        del model.metadata_props[:]
        if text is not None:
            model.metadata_props.add(key="audionas", value=text)
        onnx.save(model, tmp_path / "x.onnx")
        with pytest.raises(RunError) as found:
            predict(PredictRequest(tmp_path / "x.onnx", (Path("a.wav"),)))
        return str(found.value)

    assert "an ONNX model without audionas's description" in refused(None)
    assert "its description is damaged" in refused("{")
    assert "not a model of version 1 (damaged, or from a newer audionas)" in refused('{"schema_version": 2}')
    twice = json.dumps({**document, "labels": ["a", "a"]})
    assert "description: labels: got ['a', 'a'], a label stands twice" in refused(twice)
    other = {**document, "inputs": [{**document["inputs"][0], "features": "audio"}]}
    assert "other inputs or outputs than its description" in refused(json.dumps(other))


def test_a_folder_is_no_place_and_the_extra_is_needed(
    uneven_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AudionasError, match="is a folder; name a file"):
        export_onnx(uneven_once, Choice(), tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"ONNX needs onnx; install the extra: pip install 'audionas\[onnx\]'"):
        onnx_file.need_onnx("onnx")
