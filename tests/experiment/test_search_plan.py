"""The parts of a search: with a dev part that monitors, validates, or teaches the alphas."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.audio.folds import find_split, outer_splits
from audionas.audio.manifest import Clip, Manifest
from audionas.errors import ManifestError
from audionas.experiment.search_plan import divide_search_clips, planned_trials, protocol_text
from audionas.search import load_strategy
from audionas.search.strategy import strategy_from_settings
from audionas.spaces import RecurrentCatalogueSpace, load_search_space
from audionas.spaces.reference_recipes import REFERENCE_RECIPES

PAPER = strategy_from_settings(
    {"algorithm": "darts", "parts": {"weights": 1.0, "alphas": "dev"}}, name="paper", where="paper.yaml"
)


def ten_speakers(protocol: str) -> Manifest:
    """Two speakers in each of five folds, two clips each."""
    clips = [
        Clip(f"{fold}{sex}{label}.wav", label, f"{fold}{sex.upper()}", str(fold), extra=(("gender", sex),))
        for fold in range(1, 6)
        for sex in "fm"
        for label in ("calm", "tense")
    ]
    return Manifest(Path("/corpus"), (), (), protocol=protocol).with_clips(clips)


def groups(manifest: Manifest, parts: dict[str, tuple[int, ...]]) -> dict[str, str]:
    return {name: " ".join(sorted({manifest.clips[row].group for row in rows})) for name, rows in parts.items()}


def test_alphas_of_the_paper_learn_from_the_other_speaker_of_the_test_speakers_session() -> None:
    manifest = ten_speakers("speaker_pairs")
    parts = divide_search_clips(manifest, find_split(manifest, "3F"), PAPER, 0)
    assert groups(manifest, parts) == {"weights": "1F 1M 2F 2M 4F 4M 5F 5M", "alphas": "3M"}
    assert {name: len(rows) for name, rows in parts.items()} == {"weights": 16, "alphas": 2}


def test_alphas_on_dev_need_a_dev_part() -> None:
    manifest = ten_speakers("folds")
    with pytest.raises(
        ManifestError, match=r"fold 1 has no dev part .*\(protocol 'folds'\); use --protocol speaker_pairs"
    ):
        divide_search_clips(manifest, outer_splits(manifest)[0], PAPER, 0)


def test_dev_speakers_monitor_or_validate_and_nothing_else() -> None:
    manifest = ten_speakers("speaker_pairs")
    for split in outer_splits(manifest):
        other = f"{split.name[0]}{'FM'[split.name[1] == 'F']}"
        one_shot = groups(manifest, divide_search_clips(manifest, split, load_strategy("darts"), 0))
        multi_trial = groups(manifest, divide_search_clips(manifest, split, load_strategy("random"), 0))
        assert one_shot["monitor"] == multi_trial["validation"] == other
        assert not {split.name, other} & set(
            f"{one_shot['weights']} {one_shot['alphas']} {multi_trial['train']}".split()
        )
        assert len(multi_trial["train"].split()) == 8


def test_a_catalogue_of_fewer_recipes_than_trials_is_told_before_the_search() -> None:
    strategy = strategy_from_settings(
        {"algorithm": "catalogue", "parts": {"train": 0.8, "validation": 0.2}, "budget": {"epochs": 3, "trials": 2}},
        name="mine", where="mine.yaml",
    )  # fmt: skip
    rnn, lstm, gru = (REFERENCE_RECIPES[name] for name in ("rnn", "lstm", "gru"))
    for recipes, planned in (
        ([rnn, rnn], (1, "1 distinct recipe: 1 trial of 3 epochs")),
        ([rnn, lstm], (2, "2 trials of 3 epochs")),
        ([rnn, lstm, gru], (2, "2 trials of 3 epochs")),
    ):
        assert planned_trials(RecurrentCatalogueSpace(catalogue=recipes), strategy) == planned


def test_the_plan_names_the_protocol_and_who_selects() -> None:
    assert protocol_text(ten_speakers("folds"), "1") == ""
    assert protocol_text(ten_speakers("leave_one_group_out"), "1F") == "; protocol leave_one_group_out"
    assert protocol_text(ten_speakers("speaker_pairs"), "3F") == "; protocol speaker_pairs; the dev part selects: 3M"
    assert protocol_text(ten_speakers("folds_with_dev"), "1").endswith("; the dev part selects: 2F, 2M")


def test_the_plan_of_several_fidelities_says_what_they_are_and_what_the_budget_counts() -> None:
    space = load_search_space("darts_cnn_small")
    halving = load_strategy("successive_halving").with_budget(epochs=9, trials=6)
    assert planned_trials(space, halving) == (
        6,
        "trials of 1, 3 or 9 epochs, together worth 6 trials of 9 epochs; then the best 3 of those trained whole are "
        "re-tested: 9 trainings",
    )
    by_share = halving.replace(settings={"by": "fraction", "eta": 2}, retest=0)
    assert planned_trials(space, by_share)[1].startswith("trials of 25, 50 or 100 % of the training clips, together")
