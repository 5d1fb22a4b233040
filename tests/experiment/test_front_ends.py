"""The front-ends of a macro space: prepared once each, fitted within the split, and kept by retraining."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionas.errors import GenotypeError, SettingsError
from audionas.experiment import front_ends
from audionas.experiment.front_ends import candidate_extractors, check_front_end, with_front_end
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.search import SearchRequest, search
from audionas.features import extractor_from_settings
from audionas.records import read_json
from audionas.search.front_end_evaluator import FrontEndEvaluator
from audionas.spaces import CnnGenotype, FrontEnd, load_search_space
from audionas.spaces.genotype_file import load_genotype
from audionas.training.recipe import Recipe
from tests.experiment.conftest import make_tiny_corpus

LOG_MEL = extractor_from_settings({"extractor": "log_mel", "n_mels": 12}, "test")
SPACE = """kind: cnn_macro
features: {features}
cells:
  normal: [[skip_connect, 0], [sep_conv_3x3, 1]]
  reduce: [[max_pool_3x3, 0], [skip_connect, 1]]
options: {{channels: [2, 3], n_mels: [6, 8], hop_ms: [20, 40], spec_augment: [0, 0.3]}}
macro: {{n_cells: 2, stem_multiplier: 1, reduction_at: [1/2]}}
"""


def test_a_front_end_replaces_its_settings_only() -> None:
    found = with_front_end(LOG_MEL, FrontEnd(hop_ms=16, spec_augment=0.5), "here")
    assert found.settings() == {**LOG_MEL.settings(), "hop_ms": 16.0}
    assert with_front_end(LOG_MEL, FrontEnd(), "here") is LOG_MEL


def test_features_without_mel_bands_refuse_a_number_of_them() -> None:
    spectrogram = extractor_from_settings({"extractor": "spectrogram"}, "test")
    with pytest.raises(SettingsError, match="here: n_mels: features 'spectrogram' have no such setting; take log_mel"):
        with_front_end(spectrogram, FrontEnd(n_mels=8), "here")


def test_a_hop_is_refused_where_it_is_fitted_to_a_number_of_frames() -> None:
    fixed = extractor_from_settings({"extractor": "log_mel", "frames": 32}, "test")
    with pytest.raises(SettingsError, match="hop_ms: these features have 32 frames whatever the clip"):
        with_front_end(fixed, FrontEnd(hop_ms=8), "here")


def test_other_spaces_have_one_extractor() -> None:
    assert candidate_extractors(load_search_space("darts_cnn_small"), LOG_MEL) == {"": LOG_MEL}
    assert len(candidate_extractors(load_search_space("cnn_macro"), LOG_MEL)) == 3 * 3


def test_features_that_contradict_a_genotype_are_refused() -> None:
    edges = (("skip_connect", 0), ("skip_connect", 1))
    genotype = CnnGenotype(edges, (2,), edges, (2,), front_end=FrontEnd(n_mels=8))
    check_front_end(genotype, {"n_mels": 8, "hop_ms": 10.0}, "g.json")
    with pytest.raises(GenotypeError, match=r"g\.json: front_end says n_mels 8, its features have 12"):
        check_front_end(genotype, {"n_mels": 12}, "g.json")


def macro_search(folder: Path, **changes: Any) -> Path:
    (folder / "features.yaml").write_text("extractor: log_mel\nsample_rate_hz: 8000\nlength_s: 0.5\n")
    (folder / "macro.yaml").write_text(SPACE.format(features=folder / "features.yaml"))
    request = SearchRequest(
        make_tiny_corpus(folder), space=str(folder / "macro.yaml"), strategy="random", epochs=1, trials=4, retest=2,
        out=folder / "run", **changes,
    )  # fmt: skip
    return search(request)


@pytest.mark.slow
def test_each_candidate_is_trained_on_its_own_features_and_retrained_on_those_of_the_winner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[tuple[CnnGenotype, tuple[int, ...]]] = []
    original = FrontEndEvaluator.evaluate

    def noting(self: FrontEndEvaluator, genotype: Any, *, epochs: int, seed: int) -> Any:
        trained.append((genotype, self.data_of(genotype).input_shape))
        return original(self, genotype, epochs=epochs, seed=seed)

    monkeypatch.setattr(FrontEndEvaluator, "evaluate", noting)
    run = macro_search(tmp_path)
    assert len(trained) == 4 + 2
    for genotype, (channels, n_features, n_frames) in trained:
        assert genotype.front_end is not None
        hop_ms = genotype.front_end.hop_ms
        assert hop_ms is not None
        n_hops = -(-500 // int(hop_ms))  # the length of 0.5 s is rounded up to whole hops; centred, so one frame more
        assert (channels, n_features, n_frames) == (1, genotype.front_end.n_mels, n_hops + 1)
    winner = load_genotype(run / "genotype.json")
    assert isinstance(winner, CnnGenotype)
    assert winner.front_end is not None
    for document in (read_json(run / "run.json", "run"), json.loads((run / "genotype.json").read_text())["provenance"]):
        assert document["features"]["n_mels"] == winner.front_end.n_mels
        assert document["features"]["hop_ms"] == winner.front_end.hop_ms

    recipes: list[Recipe] = []
    from audionas.experiment import fold_training

    plain = fold_training.fit

    def noting_fit(network: Any, batches: Any, plan: Any, *rest: Any) -> Any:
        recipes.append(plan.recipe)
        return plain(network, batches, plan, *rest)

    monkeypatch.setattr(fold_training, "fit", noting_fit)
    again = retrain(RetrainRequest((run,), epochs=1, seeds=1, out=tmp_path / "again"))
    assert read_json(again / "run.json", "run")["features"]["n_mels"] == winner.front_end.n_mels
    assert {recipe.augmentation.time_mask for recipe in recipes} == {winner.front_end.spec_augment}


@pytest.mark.slow
def test_a_resumed_search_has_the_same_front_ends(tmp_path: Path) -> None:
    from audionas.experiment.search import resume

    run = macro_search(tmp_path)
    first = (run / "genotype.json").read_text()
    record = read_json(run / "run.json", "run")
    (run / "run.json").write_text(json.dumps({**record, "status": "running"}))
    lines = (run / "trials.jsonl").read_text().splitlines()
    (run / "trials.jsonl").write_text("\n".join(lines[:4]) + "\n")
    (run / "genotype.json").unlink()
    resume(run)
    assert json.loads((run / "genotype.json").read_text())["hash"] == json.loads(first)["hash"]


def test_front_ends_that_cannot_be_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "features.yaml").write_text("extractor: log_mel\nsample_rate_hz: 8000\nlength_s: 0.5\nframes: 8\n")
    (tmp_path / "macro.yaml").write_text(SPACE.format(features=tmp_path / "features.yaml"))
    request = SearchRequest(
        make_tiny_corpus(tmp_path), space=str(tmp_path / "macro.yaml"), strategy="random", out=tmp_path / "run"
    )
    with pytest.raises(SettingsError, match="space macro: options: hop_ms: these features have 8 frames"):
        search(request)
    assert not (tmp_path / "run").exists()


def test_a_supernet_of_a_macro_space_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match="'darts' cannot search space 'cnn_macro' of kind 'cnn_macro', only cnn_cell"
    ):
        search(SearchRequest(None, space="cnn_macro", strategy="darts", out=tmp_path / "run"))


def test_lengths_are_fitted_to_the_search_clips_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[float, ...]] = []

    class Clip:
        def __init__(self, duration_s: float) -> None:
            self.duration_s = duration_s

    class Corpus:
        clips = (Clip(1.0), Clip(9.0), Clip(2.0))

    class Features:
        def resolve(self, rate: int, durations: list[float]) -> Features:
            seen.append((rate, *durations))
            return self

        def settings(self) -> dict[str, Any]:
            return {}

    class Loaded:
        input_shape = (1, 8, 8)

    monkeypatch.setattr(front_ends, "candidate_extractors", lambda space, base: {"a": Features(), "b": Features()})
    monkeypatch.setattr(front_ends, "common_rate", lambda manifest: 8000)
    monkeypatch.setattr(front_ends, "load_corpus", lambda *rest: Loaded())
    from audionas.experiment.talk import Silent

    space = load_search_space("cnn_macro")
    record = {"features_folder": "nowhere", "features": {"of": "an earlier, other front-end"}}
    found = front_ends.search_corpora(space, record, LOG_MEL, Corpus(), (0, 2), Silent())  # type: ignore[arg-type]
    assert list(found) == ["a", "b"]
    assert seen == [(8000, 1.0, 2.0)] * 2  # the clip of 9 s is another split's
    assert np.isfinite(seen).all()
