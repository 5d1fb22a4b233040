"""The estimator as scikit-learn sees it: its contract, probabilities, folds of speakers, files, errors."""

from __future__ import annotations

import copy
import inspect
import io
import logging
import pickle
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
import soundfile
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import estimator_checks_generator

import audionas
from audionas.audio.manifest import Manifest
from audionas.audio.waveform import load_waveform
from audionas.errors import AudioError, AudionasError, ManifestError, RunError, SettingsError
from audionas.estimators import AudioNASClassifier, InputError
from audionas.experiment.checking import check_file
from audionas.experiment.final_model import FINAL
from audionas.experiment.ready_network import load_final
from tests.estimators.conftest import Clips

Make = Callable[..., AudioNASClassifier]

# Checks of scikit-learn that do not fit (its parameters, tags, copies), or where a refusal is what is asked for.
RUN = frozenset({
    "check_complex_data", "check_classifiers_regression_target", "check_classifiers_one_label_sample_weights",
    "check_decision_proba_consistency", "check_do_not_raise_errors_in_init_or_set_params", "check_estimator_cloneable",
    "check_estimator_repr", "check_estimator_sparse_matrix",
    "check_estimator_sparse_tag", "check_estimator_tags_renamed", "check_estimators_partial_fit_n_features",
    "check_estimators_unfitted", "check_fit1d", "check_get_params_invariance", "check_mixin_order",
    "check_no_attributes_set_in_init", "check_non_transformer_estimators_n_iter",
    "check_parameters_default_constructible", "check_requires_y_none", "check_set_params",
    "check_supervised_y_no_nan", "check_valid_tag_types",
})  # fmt: skip
# The others fit a table of numbers (20 rows of 2, say; or a sparse one), which is no audio. What they ask for and makes
# sense here has a test of its own below: pickles, repeated fits, order and subsets of clips, types of classes, errors.
FIT_A_TABLE = frozenset({
    "check_array_api_input", "check_classifier_data_not_an_array", "check_classifiers_classes",
    "check_classifiers_one_label", "check_classifiers_train", "check_dict_unchanged",
    "check_dont_overwrite_parameters", "check_dtype_object", "check_estimator_sparse_array", "check_estimators_dtypes",
    "check_estimators_empty_data_messages", "check_estimators_fit_returns_self", "check_estimators_nan_inf",
    "check_estimators_overwrite_params", "check_estimators_pickle", "check_f_contiguous_array_estimator",
    "check_fit2d_1feature", "check_fit2d_1sample", "check_fit2d_predict1d", "check_fit_check_is_fitted",
    "check_fit_idempotent", "check_fit_score_takes_y", "check_methods_sample_order_invariance",
    "check_methods_subset_invariance", "check_n_features_in", "check_n_features_in_after_fitting",
    "check_pipeline_consistency", "check_positive_only_tag_during_fit", "check_readonly_memmap_input",
    "check_supervised_y_2d",
})  # fmt: skip
CHECKS = [
    (getattr(check, "func", check).__name__, check) for _, check in estimator_checks_generator(AudioNASClassifier())
]


def test_every_check_of_scikit_learn_is_run_or_fits_a_table() -> None:
    assert {name for name, _ in CHECKS} == RUN | FIT_A_TABLE


@pytest.mark.parametrize(
    "check", [check for name, check in CHECKS if name in RUN], ids=lambda check: check.func.__name__
)
def test_the_checks_of_scikit_learn_that_fit_no_table_pass(check: Callable[..., None]) -> None:
    check(AudioNASClassifier())


def test_the_classifier_is_a_public_name() -> None:
    assert audionas.AudioNASClassifier is AudioNASClassifier


def test_the_docstring_names_every_parameter() -> None:
    documented = inspect.getdoc(AudioNASClassifier) or ""
    for name in AudioNASClassifier().get_params():
        assert f"    {name}: " in documented, name


def test_two_classes_are_told_apart(fitted: AudioNASClassifier, two_classes: Clips) -> None:
    proba = fitted.predict_proba(two_classes.paths)
    assert proba.shape == (24, 2)
    assert proba.dtype == np.float64
    assert np.allclose(proba.sum(axis=1), 1)
    predicted = fitted.predict(two_classes.paths)
    assert fitted.classes_.tolist() == ["high", "low"]
    assert predicted.tolist() == [fitted.classes_[row.argmax()] for row in proba]
    assert fitted.score(two_classes.paths, two_classes.classes) == accuracy_score(two_classes.classes, predicted)


def test_ten_classes_of_numbers_keep_their_type_and_order(
    fitted_on_ten: AudioNASClassifier, ten_classes: Clips
) -> None:
    assert fitted_on_ten.classes_.tolist() == list(range(1, 11))
    proba = fitted_on_ten.predict_proba(ten_classes.paths)
    assert proba.shape == (40, 10)
    network = fitted_on_ten.network_
    assert list(network.labels) == sorted(map(str, range(1, 11))), "as text, 10 comes after 1"
    raw = network.scores_of_files(ten_classes.paths)
    for column, number in enumerate(range(1, 11)):
        assert np.array_equal(proba[:, column], raw[:, network.labels.index(str(number))])
    assert np.issubdtype(fitted_on_ten.predict(ten_classes.paths).dtype, np.integer)


def test_probabilities_are_those_of_the_network_on_standardised_features(
    fitted: AudioNASClassifier, two_classes: Clips
) -> None:
    import torch

    network = fitted.network_
    block = network.extractor(load_waveform(two_classes.paths[0], network.extractor.rate_hz))
    standardised = (block - network.mean.numpy()) / network.std.numpy()
    with torch.no_grad():
        by_hand = network.network(torch.from_numpy(standardised[None])).softmax(dim=1).numpy()[0]
        as_module = network(torch.from_numpy(block[None])).softmax(dim=1).numpy()[0]
    proba = fitted.predict_proba(two_classes.paths[:1])[0]
    assert np.allclose(proba, by_hand, atol=1e-6)
    assert np.allclose(proba, as_module, atol=1e-6)


def test_the_order_and_the_number_of_clips_change_no_probability(
    fitted: AudioNASClassifier, two_classes: Clips
) -> None:
    whole = fitted.predict_proba(two_classes.paths)
    assert np.allclose(fitted.predict_proba(two_classes.paths[::-1]), whole[::-1], atol=1e-6)
    assert np.allclose(fitted.predict_proba(two_classes.paths[3:4]), whole[3:4], atol=1e-6)


def test_predicting_changes_no_attribute(fitted: AudioNASClassifier, two_classes: Clips) -> None:
    before = dict(fitted.__dict__)
    fitted.predict(two_classes.paths)
    assert fitted.__dict__ == before


def test_fit_is_repeatable_with_a_seed(fitted: AudioNASClassifier, two_classes: Clips) -> None:
    again = clone(fitted).fit(two_classes.paths, two_classes.classes, two_classes.speakers)
    assert again.genotype_ == fitted.genotype_
    assert np.array_equal(again.predict_proba(two_classes.paths), fitted.predict_proba(two_classes.paths))


def test_another_seed_is_another_search(two_classes: Clips, classifier: Make) -> None:
    hashes = {
        classifier(two_classes, random_state=seed, strategy="random", trials=1, retrain_epochs=1)
        .fit(two_classes.paths, two_classes.classes)
        .genotype_.hash
        for seed in (1, 2)
    }
    assert len(hashes) == 2


def test_a_clone_is_not_fitted(fitted: AudioNASClassifier, two_classes: Clips) -> None:
    fresh = clone(fitted)
    assert fresh.get_params() == fitted.get_params()
    for method in (fresh.predict, fresh.predict_proba):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            method(two_classes.paths)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        fresh.save("anywhere")


def test_the_work_is_kept_where_it_is_asked_for_and_no_speaker_is_cut(
    two_classes: Clips, classifier: Make, tmp_path: Path
) -> None:
    found = classifier(two_classes, folder=str(tmp_path / "work"), strategy="random", trials=2)
    found.fit(two_classes.paths, two_classes.classes, two_classes.speakers)
    assert found.folder_ == tmp_path / "work" / "fit_1"
    manifest = Manifest.read(found.folder_ / "search")
    assert manifest.speaker_independence_checked
    fold_of = {
        clip.group: {other.fold for other in manifest.clips if other.group == clip.group} for clip in manifest.clips
    }
    assert len(fold_of) == 6
    assert all(len(folds) == 1 for folds in fold_of.values())
    for kind in ("search", "search/retrained"):
        assert check_file(found.folder_ / kind).errors == ()
    found.fit(two_classes.paths, two_classes.classes, two_classes.speakers)
    assert found.folder_ == tmp_path / "work" / "fit_2"
    network = load_final(found.folder_ / "search" / "retrained" / FINAL)
    assert np.array_equal(network.scores_of_files(two_classes.paths), found.predict_proba(two_classes.paths))


def test_the_command_of_the_search_on_record_does_the_same_search(
    two_classes: Clips, classifier: Make, tmp_path: Path
) -> None:
    from audionas.cli import app
    from audionas.records import read_json

    found = classifier(two_classes, folder=str(tmp_path), random_state=5)
    found.fit(two_classes.paths, two_classes.classes, two_classes.speakers)
    words = read_json(tmp_path / "fit_1" / "search" / "run.json", "run file")["argv"]
    words[words.index("--out") + 1] = str(tmp_path / "again")
    app(words, standalone_mode=False)
    hashes = [
        read_json(run / "genotype.json", "genotype")["hash"]
        for run in (tmp_path / "again", tmp_path / "fit_1" / "search")
    ]
    assert hashes[0] == hashes[1] == found.genotype_.hash


def test_waveforms_are_clips_too(fitted: AudioNASClassifier, two_classes: Clips, classifier: Make) -> None:
    table = np.stack([soundfile.read(path, dtype="float32")[0] for path in two_classes.paths])
    by_array = classifier(two_classes, retrain_epochs=8, sample_rate_hz=8000)
    by_array.fit(table, two_classes.classes, two_classes.speakers)
    assert np.allclose(by_array.predict_proba(table), by_array.predict_proba(two_classes.paths), atol=1e-6)
    assert by_array.predict(list(table)).tolist() == by_array.predict(table).tolist()
    with pytest.raises(InputError, match=r"sample_rate_hz: got None, must be the rate of the waveforms in Hz"):
        fitted.predict(table)


def test_cross_val_score_with_speakers_gives_them_to_fit_where_it_is_told(
    two_classes: Clips, classifier: Make, tmp_path: Path
) -> None:
    found = classifier(two_classes, retrain_epochs=1, folder=str(tmp_path))
    groups = np.array(two_classes.speakers)
    scores = cross_val_score(
        found, two_classes.paths, two_classes.classes, groups=groups, cv=GroupKFold(3), params={"groups": groups},
        error_score="raise",
    )  # fmt: skip
    assert scores.shape == (3,)
    seen = [{clip.group for clip in Manifest.read(tmp_path / f"fit_{n}" / "search").clips} for n in (1, 2, 3)]
    assert [len(each) for each in seen] == [4, 4, 4]
    left_out = [set(two_classes.speakers) - each for each in seen]
    assert set.union(*left_out) == set(two_classes.speakers), "each speaker was left out of one fit"


def test_metadata_routing_takes_groups_to_the_splitter_and_to_fit(two_classes: Clips, classifier: Make) -> None:
    groups = np.array(two_classes.speakers)
    with sklearn.config_context(enable_metadata_routing=True):
        found = classifier(two_classes, retrain_epochs=1).set_fit_request(groups=True)
        done = cross_validate(
            found, np.array(two_classes.paths, dtype=str), two_classes.classes, cv=GroupKFold(3),
            params={"groups": groups}, return_estimator=True, error_score="raise",
        )  # fmt: skip
    assert all(each.network_ is not None for each in done["estimator"])


def test_a_grid_search_tries_parameters_and_keeps_the_best(two_classes: Clips, classifier: Make) -> None:
    grid = GridSearchCV(classifier(two_classes), {"retrain_epochs": [1, 2]}, cv=GroupKFold(2), error_score="raise")
    grid.fit(two_classes.paths, two_classes.classes, groups=two_classes.speakers)
    assert grid.best_params_["retrain_epochs"] in (1, 2)
    assert grid.predict(two_classes.paths).shape == (24,)


def test_a_pipeline_may_end_in_it(two_classes: Clips, classifier: Make) -> None:
    def read_all(paths: list[Path]) -> np.ndarray:
        return np.stack([soundfile.read(path, dtype="float32")[0] for path in paths])

    chain = Pipeline([
        ("read", FunctionTransformer(read_all)), ("classify", classifier(two_classes, sample_rate_hz=8000)),
    ])  # fmt: skip
    chain.fit(two_classes.paths, two_classes.classes, classify__groups=two_classes.speakers)
    assert chain.predict(two_classes.paths).shape == (24,)


def test_saved_and_loaded_it_predicts_the_same(
    fitted_on_ten: AudioNASClassifier, ten_classes: Clips, tmp_path: Path
) -> None:
    folder = fitted_on_ten.save(tmp_path / "saved")
    assert sorted(path.name for path in folder.iterdir()) == ["classifier.json", "model.json", "weights.safetensors"]
    loaded = AudioNASClassifier.load(folder)
    assert loaded.get_params() == fitted_on_ten.get_params()
    assert loaded.classes_.tolist() == fitted_on_ten.classes_.tolist()
    assert loaded.expected_ == fitted_on_ten.expected_
    assert np.array_equal(loaded.predict_proba(ten_classes.paths), fitted_on_ten.predict_proba(ten_classes.paths))
    with pytest.raises(RunError, match="is not empty; choose another"):
        fitted_on_ten.save(folder)


@pytest.mark.parametrize(("file", "text", "message"), [
    ("classifier.json", None, r"no classifier here \(classifier.json is missing\); AudioNASClassifier.save"),
    ("classifier.json", "{", "not valid JSON"),
    ("classifier.json", '{"schema_version": 2}', "not a classifier of version 1"),
    ("classifier.json", '{"schema_version": 1}', r"damaged \(.*key 'parameters' is missing"),
    ("weights.safetensors", None, "cannot read this file"),
    ("weights.safetensors", "nothing", "damaged"),
    ("model.json", '{"schema_version": 9}', "not a model file of version 1"),
    ("model.json", '{"schema_version": 1}', r"damaged \(genotype, features, labels, task\)"),
])  # fmt: skip
def test_a_damaged_folder_is_refused_in_one_line(
    fitted: AudioNASClassifier, tmp_path: Path, file: str, text: str | None, message: str
) -> None:
    folder = fitted.save(tmp_path / "saved")
    if text is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(text)
    with pytest.raises(AudionasError, match=message) as caught:
        AudioNASClassifier.load(folder)
    assert "\n" not in str(caught.value)


def test_copies_pickles_and_joblib_go_through_the_same_files(fitted: AudioNASClassifier, two_classes: Clips) -> None:
    import pickletools

    wanted = fitted.predict_proba(two_classes.paths)
    stream = io.BytesIO()
    joblib.dump(fitted, stream)
    stream.seek(0)
    text = pickle.dumps(fitted)
    for other in (copy.deepcopy(fitted), pickle.loads(text), joblib.load(stream)):
        assert np.array_equal(other.predict_proba(two_classes.paths), wanted)
        assert other.get_params() == fitted.get_params()
    names = {str(argument) for _, argument, _ in pickletools.genops(text) if isinstance(argument, str)}
    assert not {name for name in names if name.startswith("torch")}, "no object of torch is pickled"
    unfitted = pickle.loads(pickle.dumps(clone(fitted)))
    with pytest.raises(NotFittedError):
        unfitted.predict(two_classes.paths)


@pytest.mark.parametrize(("clips", "message"), [
    ("one.wav", r"X: got 'one.wav', must be a list of paths"),
    (None, r"X: got 'None', must be a list of paths"),
    ([], "X: got no clip"),
    (["a.wav", 3], r"X: clip 0 is a str"),
    ([[[1.0]], [[2.0]]], r"X: clip 0 has the shape \(1, 1\), must be \(samples,\)"),
    ([[0.0, float("nan")]], "X: clip 0 holds NaN or infinity"),
    (np.zeros((2, 3, 4)), "X: got an array of 3 axes"),
])  # fmt: skip
def test_clips_that_are_none_are_refused(clips: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        AudioNASClassifier().fit(clips, ["x", "y"])
    assert isinstance(caught.value, ValueError)


def test_classes_groups_and_parameters_that_cannot_be_used_are_refused(two_classes: Clips, classifier: Make) -> None:
    paths, classes, speakers = two_classes.paths, two_classes.classes, two_classes.speakers
    found = classifier(two_classes)
    with pytest.raises(InputError, match="requires y to be passed, but the target y is None"):
        found.fit(paths, None)
    with pytest.raises(InputError, match=r"y: one class only \(x\)"):
        found.fit(paths, ["x"] * len(paths))
    with pytest.raises(InputError, match=r"y: classes of type datetime64\[D\]; accepted: text"):
        found.fit(paths[:2], np.array(["2026-01-01", "2026-01-02"], dtype="datetime64[D]"))
    with pytest.raises(ValueError, match="Unknown label type"):
        found.fit(paths, np.linspace(0, 1, len(paths)))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        found.fit(paths, classes[:-1])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        found.fit(paths, classes, speakers[:-1])
    with pytest.raises(InputError, match="groups: place 1 is None; give every clip a group"):
        found.fit(paths, classes, [speakers[0], None, *speakers[2:]])
    for seed in (None, -1, 0.5, np.random.RandomState(0)):
        with pytest.raises(InputError, match=r"random_state: got .*, must be a whole number from 0 on"):
            found.set_params(random_state=seed).fit(paths, classes)
    with pytest.raises(SettingsError, match="unknown search space 'nowhere'"):
        classifier(two_classes).set_params(space="nowhere").fit(paths, classes)
    with pytest.raises(ManifestError, match=r"is listed 2 times; keep one row"):
        classifier(two_classes).fit([*paths, paths[0]], [*classes, classes[0]])
    with pytest.raises(ManifestError, match=r"class 'high' has 6 group\(s\), fewer than 7 folds"):
        classifier(two_classes, folds=7).fit(paths, classes, speakers)


def test_a_file_that_cannot_be_read_is_named(fitted: AudioNASClassifier, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"nothing.wav: no such audio file"):
        fitted.predict([tmp_path / "nothing.wav"])
    (tmp_path / "text.wav").write_text("no audio")
    with pytest.raises(AudioError, match=r"text.wav: cannot be decoded"):
        fitted.predict([tmp_path / "text.wav"])


def test_progress_goes_to_a_logger(two_classes: Clips, classifier: Make, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="audionas.estimators"):
        classifier(two_classes).fit(two_classes.paths, two_classes.classes)
    told = [record.message for record in caplog.records]
    assert any(line.startswith("data: ") for line in told)
    warned = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert any("speaker independence not checked" in line for line in warned)
