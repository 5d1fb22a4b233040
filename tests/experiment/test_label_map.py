"""Label maps are declared, complete and checked on both sides."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.audio.manifest import Clip, Manifest, Task
from audionas.errors import ManifestError, SettingsError
from audionas.experiment.label_map import map_labels, read_label_map

LABELS = ("anger", "happiness", "neutral")


def corpus(*labels: str) -> Manifest:
    return Manifest(Path("/corpus"), (), ()).with_clips(
        Clip(f"{i}.wav", label, f"g{i}", clip=str(i)) for i, label in enumerate(labels)
    )


def test_a_map_relabels_and_what_it_does_not_name_is_left_out_and_counted() -> None:
    found = map_labels(corpus("joy", "rage", "neutral", "joy", "fear"), LABELS, {"joy": "happiness", "rage": "anger"})
    assert [clip.label for clip in found.manifest.clips] == ["happiness", "anger", "happiness"]
    assert found.manifest.labels == LABELS
    assert found.manifest.targets.tolist() == [1, 0, 1]
    assert found.left_out == {"fear": 1, "neutral": 1}


def test_several_labels_may_become_one() -> None:
    found = map_labels(corpus("joy", "excited"), LABELS, {"joy": "happiness", "excited": "happiness"})
    assert [clip.label for clip in found.manifest.clips] == ["happiness", "happiness"]


def test_without_a_map_equal_names_mean_the_same() -> None:
    found = map_labels(corpus("anger", "fear"), LABELS, None)
    assert (found.label_map, found.left_out) == ({"anger": "anger"}, {"fear": 1})
    with pytest.raises(ManifestError, match=r"none of its labels \(fear, joy\) .* --map fear=anger"):
        map_labels(corpus("joy", "fear"), LABELS, None)


def test_unknown_labels_on_either_side_are_refused_with_the_accepted_ones() -> None:
    with pytest.raises(SettingsError, match=r"unknown label of the network 'angr' \(did you mean 'anger'\?\); known: "):
        map_labels(corpus("joy"), LABELS, {"joy": "angr"})
    with pytest.raises(SettingsError, match=r"unknown label of the data 'jo' \(did you mean 'joy'\?\); known: joy"):
        map_labels(corpus("joy"), LABELS, {"jo": "anger"})


def test_maps_are_read_from_words_and_files(tmp_path: Path) -> None:
    assert read_label_map(None, None) is None
    assert read_label_map("joy=happiness, rage = anger", None) == {"joy": "happiness", "rage": "anger"}
    file = tmp_path / "map.yaml"
    file.write_text("joy: happiness\nrage: anger\n")
    assert read_label_map(None, file) == {"joy": "happiness", "rage": "anger"}


@pytest.mark.parametrize(
    ("text", "message"),
    [("joy", "must be LABEL_OF_DATA=LABEL_OF_NETWORK"), ("=a", "must be LABEL"), ("a=b,", "must be LABEL"),
     ("a=b,a=c", "label 'a' stands twice")],
)  # fmt: skip
def test_words_that_are_no_map_are_refused(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_label_map(text, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [("no: anger\n", "line 'False: anger' is not text on both sides"), ("{}\n", "the map is empty"),
     ("joy: {a: b}\n", "is not text on both sides"), ("- a\n", "expected a YAML mapping")],
)  # fmt: skip
def test_files_that_are_no_map_are_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "map.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=message):
        read_label_map(None, file)


def test_a_map_is_given_once_and_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--map and --label-map exclude each other"):
        read_label_map("a=b", tmp_path / "map.yaml")
    with pytest.raises(SettingsError, match="cannot read this label map"):
        read_label_map(None, tmp_path / "map.yaml")


def of_task(task: Task, labels: tuple[str, ...], *texts: str) -> Manifest:
    clips = (Clip(f"{i}.wav", text, f"g{i}", clip=str(i)) for i, text in enumerate(texts))
    return Manifest(Path("/corpus"), tuple(clips), labels, task)


def test_of_several_labels_only_the_label_is_left_out_and_the_clip_stays() -> None:
    manifest = of_task("multilabel", ("bark", "drizzle", "rain"), "bark;rain", "drizzle", "bark", "")
    found = map_labels(manifest, ("dog", "rain"), {"rain": "rain", "drizzle": "rain"})
    assert found.manifest.targets.tolist() == [[0, 1], [0, 1], [0, 0], [0, 0]]
    assert found.left_out == {"bark": 2}


def test_numbers_are_put_in_the_networks_order_and_each_of_its_targets_needs_one() -> None:
    manifest = of_task("regression", ("arousal", "dominance", "valence"), "1;2;3", "4;5;6")
    found = map_labels(manifest, ("valence", "activation"), {"arousal": "activation", "valence": "valence"})
    assert found.manifest.targets.tolist() == [[3, 1], [6, 4]]
    assert found.left_out == {"dominance": 2}
    with pytest.raises(ManifestError, match=r"no number is mapped to target 'activation' .* --map arousal=activation"):
        map_labels(manifest, ("valence", "activation"), None)
    with pytest.raises(SettingsError, match="two numbers are mapped to target 'valence'"):
        map_labels(manifest, ("valence",), {"arousal": "valence", "valence": "valence"})
