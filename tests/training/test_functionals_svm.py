"""Support vector machines on functionals: scikit-learn's own on given kernels, inner folds, temperature, no leak."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from audionas.training import functionals_svm
from audionas.training.functionals_svm import svm_scores

N = 48
GROUPS = np.array([f"s{k // 6}" for k in range(N)], dtype=object)  # eight speakers of six clips
TRAIN, TEST = range(36), range(36, N)


def _corpus(n_classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Classes that can be heard, but not always."""
    rng = np.random.default_rng(0)
    targets = np.arange(N) % n_classes
    return np.eye(n_classes)[targets] @ rng.normal(size=(n_classes, 5)) + rng.normal(scale=0.7, size=(N, 5)), targets


def _scores(x: np.ndarray, y: np.ndarray, task: str = "classification", n_outputs: int = 3) -> np.ndarray:
    return svm_scores(task, x, y, GROUPS, (TRAIN, TEST), n_outputs, 0)


def _only(monkeypatch: pytest.MonkeyPatch, kernel: str, cost: float) -> None:
    monkeypatch.setattr(functionals_svm, "KERNELS", (kernel,))
    monkeypatch.setattr(functionals_svm, "COSTS", (cost,))


@pytest.mark.parametrize(("kernel", "words"), [("linear", {"kernel": "linear"}), ("radial", {"gamma": "auto"})])
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_decisions_are_those_of_scikit_learn_on_scaled_functionals(
    monkeypatch: pytest.MonkeyPatch, kernel: str, words: dict[str, str], n_classes: int
) -> None:
    """Of d = 5 values: gamma `auto` is 1 / d; a linear kernel divided by d at a cost of 1 is one at a cost of 1 / d."""
    _only(monkeypatch, kernel, 1.0)
    x, y = _corpus(n_classes)
    cost = 1.0 / 5 if kernel == "linear" else 1.0
    machine = make_pipeline(StandardScaler(), SVC(C=cost, class_weight="balanced", break_ties=n_classes > 2, **words))
    expected = machine.fit(x[TRAIN], y[TRAIN]).predict(x[TEST])
    found = _scores(x, y, n_outputs=n_classes)
    assert found.argmax(axis=1).tolist() == expected.tolist()
    assert found.sum(axis=1) == pytest.approx(np.ones(len(TEST)))


def test_the_temperature_is_the_factor_by_which_decisions_are_too_sure() -> None:
    """Classes drawn from softmax(z): decisions of 7 z need a temperature of 7; labels alike, of the sigmoid."""
    rng = np.random.default_rng(1)
    z = rng.normal(size=(20_000, 3))
    y = (softmax(z, axis=1).cumsum(axis=1) > rng.random((len(z), 1))).argmax(axis=1)
    tasks = functionals_svm.SVM_TASKS
    assert functionals_svm._temperature(tasks["classification"], y, 7 * z) == pytest.approx(7, rel=0.05)
    labels = (expit(z) > rng.random(z.shape)).astype(np.int64)
    assert functionals_svm._temperature(tasks["multilabel"], labels, 7 * z) == pytest.approx(7, rel=0.05)
    assert functionals_svm._temperature(tasks["regression"], z, 7 * z) == 1.0


def test_the_temperature_moves_no_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = _corpus()
    calibrated = _scores(x, y)
    monkeypatch.setattr(functionals_svm, "_temperature", lambda *_: 1.0)
    raw = _scores(x, y)
    assert not np.allclose(calibrated, raw)
    assert (calibrated.argsort(axis=1) == raw.argsort(axis=1)).all()


def test_inner_folds_keep_groups_whole_and_see_no_test_clip() -> None:
    x, y = _corpus()
    before = _scores(x, y)
    folds = functionals_svm.SVM_TASKS["classification"].folds(y[TRAIN], GROUPS[TRAIN], 0)
    assert len(folds) == 5
    for train, test in folds:
        assert not set(GROUPS[train]) & set(GROUPS[test])
    y[TEST] = 0
    assert np.array_equal(_scores(x, y), before), "labels of the test clips change nothing"
    wild = x.copy()
    wild[TEST[1:]] = 1e6
    assert np.allclose(_scores(wild, y)[0], before[0]), "nor do other test clips"


def test_a_kernel_is_chosen_by_the_inner_folds() -> None:
    """Inside or outside of a circle: no line parts them."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 2))
    radius = (x**2).sum(axis=1)
    y = (radius > np.median(radius)).astype(np.int64)
    kernel, _, _ = functionals_svm._chosen(functionals_svm.SVM_TASKS["classification"], x, y, GROUPS, 2, 0)
    assert kernel == "radial"


def test_a_class_that_does_not_train_has_no_probability() -> None:
    x, y = _corpus()
    found = _scores(x, y, n_outputs=4)
    assert found[:, 3].tolist() == [0.0] * len(TEST)
    alone = _scores(x, np.zeros(N, dtype=np.int64))
    assert alone.tolist() == [[1.0, 0.0, 0.0]] * len(TEST)


def test_one_group_leaves_nothing_to_choose_by() -> None:
    x, y = _corpus()
    groups = np.array(["s0"] * 36 + ["s1"] * 12, dtype=object)
    found = svm_scores("classification", x, y, groups, (TRAIN, TEST), 3, 0)
    machine = make_pipeline(StandardScaler(), SVC(C=1 / 5, kernel="linear", class_weight="balanced", break_ties=True))
    assert found.argmax(axis=1).tolist() == machine.fit(x[TRAIN], y[TRAIN]).predict(x[TEST]).tolist()


def test_of_several_labels_each_has_a_machine_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, "linear", 1.0)
    monkeypatch.setattr(functionals_svm, "_temperature", lambda *_: 2.0)
    x, _ = _corpus()
    y = np.column_stack([x[:, 0] > 0, x[:, 1] > 0.2, np.ones(N), np.zeros(N)]).astype(np.int64)
    found = _scores(x, y, "multilabel", 4)
    for label in (0, 1):
        machine = make_pipeline(StandardScaler(), SVC(C=1 / 5, kernel="linear", class_weight="balanced"))
        decision = machine.fit(x[TRAIN], y[TRAIN, label]).decision_function(x[TEST])
        assert found[:, label] == pytest.approx(expit(decision / 2), abs=1e-3)
    assert found[:, 2:].tolist() == [[1.0, 0.0]] * len(TEST), "labels that all clips or none have"


def test_several_labels_are_calibrated_and_chosen_by_inner_folds() -> None:
    x, _ = _corpus()
    y = np.column_stack([x[:, 0] > 0, x[:, 1] > 0.2]).astype(np.int64)
    found = _scores(x, y, "multilabel", 2)
    assert ((found > 0.5) == y[TEST]).mean() > 0.8


def test_numbers_are_predicted_in_their_own_units(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, "radial", 10.0)
    x, _ = _corpus()
    y = np.column_stack([100 + 10 * x[:, 0], x[:, 1]])
    found = _scores(x, y, "regression", 2)
    own = StandardScaler().fit(y[TRAIN])
    machine = make_pipeline(StandardScaler(), SVR(C=10.0, gamma="auto"))
    expected = machine.fit(x[TRAIN], own.transform(y[TRAIN])[:, 0]).predict(x[TEST]) * own.scale_[0] + own.mean_[0]
    assert found[:, 0] == pytest.approx(expected, abs=0.1)
    assert np.corrcoef(found[:, 1], y[TEST, 1])[0, 1] > 0.8


def test_of_very_many_clips_so_many_are_drawn_as_a_kernel_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functionals_svm, "MOST_CLIPS", 20)
    x, y = _corpus()
    rows = functionals_svm._drawn(TRAIN, 0)
    assert len(set(rows.tolist())) == 20
    assert set(rows.tolist()) < set(TRAIN)
    assert functionals_svm._drawn(TRAIN, 0).tolist() == rows.tolist() != functionals_svm._drawn(TRAIN, 1).tolist()
    expected = svm_scores("classification", x, y, GROUPS, (rows.tolist(), TEST), 3, 0)
    assert np.array_equal(_scores(x, y), expected)
