"""A sound bundle is verified, and every planted change is found, the list of hashes rewritten or not."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audionas.errors import RunError
from audionas.experiment.bundle import bundle
from audionas.experiment.bundle_zip import unpack, write_zip
from audionas.experiment.figures import Findings
from audionas.experiment.verify import verify
from tests.experiment.finished_runs import FinishedRuns

pytestmark = pytest.mark.slow  # the fixture searches and retrains

TABLE = "run/retrained/split_2/seed_1/predictions.csv"
METRICS = "run/retrained/metrics.json"


@pytest.fixture
def unpacked(finished: FinishedRuns, tmp_path: Path) -> Path:
    """The bundle of the nested search and its retraining, unpacked."""
    bundle(finished.searched, tmp_path / "a.zip")
    unpack(tmp_path / "a.zip", tmp_path / "bundle")
    return tmp_path / "bundle"


def rehash(folder: Path) -> None:
    """What a forger would do: list the hashes of the files as they are now."""
    record = json.loads((folder / "bundle.json").read_text())
    record["files"] = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "bundle.json"
    }
    (folder / "bundle.json").write_text(json.dumps(record))


def change_json(path: Path, change: Callable[[Any], object]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def change_rows(path: Path, change: Callable[[list[dict[str, str]]], object]) -> None:
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    names = list(rows[0])
    change(rows)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def found(folder: Path) -> list[tuple[str, str]]:
    """File and key of everything that does not fit once the hashes are rewritten; before, the hash tells."""
    changed = {each.file for each in verify(folder).mismatches if each.key == "sha256"}
    assert changed, "the list of hashes does not tell"
    rehash(folder)
    return [(each.file, each.key) for each in verify(folder).mismatches]


@pytest.mark.parametrize("name", ["searched", "one", "two", "fused"])
def test_a_sound_run_is_verified_as_zip_and_as_folder(finished: FinishedRuns, tmp_path: Path, name: str) -> None:
    run = getattr(finished, name)
    bundle(run, tmp_path / "a.zip")
    zipped, plain = verify(tmp_path / "a.zip"), verify(run)
    assert [str(each) for each in (*zipped.mismatches, *plain.mismatches)] == []
    assert zipped.n_figures >= plain.n_figures > 100
    assert zipped.notes == plain.notes == []


def test_every_figure_of_metrics_json_is_computed_again(unpacked: Path) -> None:
    """Each number, changed alone, is found: the plain baselines' as well, by their confusions."""

    def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        here = [at] if isinstance(value, (int, float)) and not isinstance(value, bool) else []
        return here + [place for key, inner in pairs for place in places(inner, (*at, key))]

    document = json.loads((unpacked / METRICS).read_text())
    wanted = [place for place in places(document) if place[0] not in ("schema_version",)]
    assert len(wanted) > 100
    chosen = [place for place in wanted if place[0] in ("headline", "parameters", "macs", "macs_per_second")]
    chosen += [next(place for place in wanted if place[0] == part) for part in ("all_splits", "per_seed", "per_fold")]
    chosen += [place for place in wanted if place[:3] == ("baselines", "headline", 2)][:4]
    for place in chosen:
        changed = json.loads(json.dumps(document))
        holder = changed
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] += 1
        (unpacked / METRICS).write_text(json.dumps(changed))
        files = {each.file for each in verify(unpacked).mismatches if each.key != "sha256"}
        assert METRICS in files, place


def test_one_changed_probability_is_found(unpacked: Path) -> None:
    def change(rows: list[dict[str, str]]) -> None:
        rows[0]["p:high"] = f"{float(rows[0]['p:high']) + 0.001:.9g}"

    change_rows(unpacked / TABLE, change)
    assert [file for file, key in found(unpacked) if key.endswith("sum of probabilities")] == [TABLE]


def test_probabilities_that_were_swapped_are_found_in_the_scores(unpacked: Path) -> None:
    def change(rows: list[dict[str, str]]) -> None:
        row = next(row for row in rows if row["part"] == "test")
        row["p:high"], row["p:low"] = row["p:low"], row["p:high"]
        row["predicted"] = "low" if row["predicted"] == "high" else "high"

    change_rows(unpacked / TABLE, change)
    keys = [key for file, key in found(unpacked) if file == METRICS]
    assert "headline.ua" in keys
    assert any(key.startswith("per_fold[3].confusion") for key in keys)


def test_an_edited_score_is_found_with_both_values(unpacked: Path) -> None:
    stored = json.loads((unpacked / METRICS).read_text())["headline"]["ua"]
    change_json(unpacked / METRICS, lambda document: document["headline"].update(ua=0.99))
    assert found(unpacked) == [(METRICS, "headline.ua")]
    (only,) = verify(unpacked).mismatches
    assert (only.stored, only.recomputed) == (0.99, pytest.approx(stored, abs=1e-12))
    assert str(only).startswith(f"{METRICS}: headline.ua: stored 0.99, recomputed 0.")


def test_a_dropped_clip_is_found(unpacked: Path) -> None:
    def change(rows: list[dict[str, str]]) -> None:
        rows.remove(next(row for row in rows if row["part"] == "test"))

    change_rows(unpacked / TABLE, change)
    keys = found(unpacked)
    assert (TABLE, "test clips") in keys
    assert any(file == METRICS for file, _ in keys), "seeds of different clips have no common score"


def test_a_changed_label_is_found(unpacked: Path) -> None:
    def change(rows: list[dict[str, str]]) -> None:
        rows[0]["label"] = "low" if rows[0]["label"] == "high" else "high"

    change_rows(unpacked / TABLE, change)
    assert any(file == TABLE and key.endswith(", label") for file, key in found(unpacked))


def test_an_edited_genotype_is_found(unpacked: Path) -> None:
    name = "run/retrained/split_2/genotype.json"

    def change(document: dict[str, Any]) -> None:
        op = document["cells"]["normal"][0][0]
        document["cells"]["normal"][0][0] = "max_pool_3x3" if op != "max_pool_3x3" else "skip_connect"

    change_json(unpacked / name, change)
    assert name in {file for file, _ in found(unpacked)}


def test_a_genotype_with_its_hash_taken_out_is_found(unpacked: Path) -> None:
    name = "run/retrained/split_2/genotype.json"
    change_json(unpacked / name, lambda document: document.pop("hash"))
    assert (name, "hash") in found(unpacked)


def test_a_search_that_read_a_test_speaker_is_found(unpacked: Path) -> None:
    """The genotype of split 1 is put in the place of split 2's: its search has read the speakers of split 2."""
    copied = json.loads((unpacked / "run/split_1/genotype.json").read_text())
    for name in ("run/split_2/genotype.json", "run/retrained/split_2/genotype.json"):
        before = json.loads((unpacked / name).read_text())
        before["provenance"]["groups_read"] = copied["provenance"]["groups_read"]
        (unpacked / name).write_text(json.dumps(before))
    keys = found(unpacked)
    assert ("run/split_2/genotype.json", "groups_read") in keys
    assert (METRICS, "splits[1].seen_by_search") in keys


def test_a_copy_that_hides_what_its_search_has_read_is_found(unpacked: Path) -> None:
    name = "run/retrained/split_2/genotype.json"
    change_json(unpacked / name, lambda document: document["provenance"]["groups_read"].pop())
    assert any(file == name and key.startswith("groups_read, as in run/split_2") for file, key in found(unpacked))


def test_a_moved_fold_is_found_by_the_hash_of_the_manifest(unpacked: Path) -> None:
    def change(rows: list[dict[str, str]]) -> None:
        for row in rows:
            row["fold"] = {"1": "2", "2": "1"}.get(row["fold"], row["fold"])

    change_rows(unpacked / "run/retrained/manifest.csv", change)
    assert ("run/retrained/run.json", "data.manifest_sha256") in found(unpacked)


def test_a_test_speaker_among_the_training_clips_is_found(unpacked: Path) -> None:
    def change(rows: list[dict[str, str]]) -> None:
        tested = next(row for row in rows if row["part"] == "test")
        rows.append({**tested, "part": "train"})

    change_rows(unpacked / TABLE, change)
    lines = [str(each) for each in verify(unpacked).mismatches]
    assert any("in part train" in line and "is tested in this split" in line for line in lines)


def test_a_file_that_is_missing_or_added_is_found(unpacked: Path) -> None:
    (unpacked / TABLE).unlink()
    (unpacked / "run" / "more.csv").write_text("a\n")
    keys = {(each.file, each.key) for each in verify(unpacked).mismatches}
    assert {(TABLE, "sha256"), ("run/more.csv", "sha256"), (METRICS, "")} <= keys


def test_a_changed_figure_of_a_fusion_is_found(finished: FinishedRuns, tmp_path: Path) -> None:
    bundle(finished.fused, tmp_path / "a.zip")
    unpack(tmp_path / "a.zip", tmp_path / "bundle")

    def change(document: dict[str, Any]) -> None:
        document["headline"]["rows"][3]["ua_interval"][1] += 0.01
        document["headline"]["differences"][0]["ua"] += 0.01

    change_json(tmp_path / "bundle" / "run" / "metrics.json", change)
    assert found(tmp_path / "bundle") == [
        ("run/metrics.json", "headline.rows[3].ua_interval[1]"), ("run/metrics.json", "headline.differences[0].ua"),
    ]  # fmt: skip


def test_a_stream_outside_of_the_bundle_is_refused(finished: FinishedRuns, tmp_path: Path) -> None:
    bundle(finished.fused, tmp_path / "a.zip")
    unpack(tmp_path / "a.zip", tmp_path / "bundle")
    change_json(tmp_path / "bundle" / "run" / "run.json", lambda record: record.update(streams=["../x", "streams/2"]))
    rehash(tmp_path / "bundle")
    (only,) = verify(tmp_path / "bundle").mismatches
    assert "its stream '../x' lies outside of the bundle" in str(only)


def test_what_is_neither_bundle_nor_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such bundle or run folder"):
        verify(tmp_path / "gone.zip")
    with pytest.raises(RunError, match=r"no run here .*; nor is it a bundle \(bundle.json is missing\)"):
        verify(tmp_path)
    write_zip(tmp_path / "a.zip", {"bundle.json": b"{}"})
    with pytest.raises(RunError, match=r"bundle.json: damaged: no list of files"):
        verify(tmp_path / "a.zip")


def test_a_malformed_run_is_told_and_ends_nothing(unpacked: Path) -> None:
    change_json(unpacked / METRICS, lambda document: document.pop("baselines"))
    change_json(unpacked / "run/split_1/run.json", lambda record: record.update(status=3))
    lines = [str(each) for each in verify(unpacked).mismatches]
    assert any(line.startswith(f"{METRICS}: ") and "malformed (KeyError: 'baselines')" in line for line in lines)
    assert any(line.startswith("run/split_1/run.json: ") and "damaged" in line for line in lines)


def test_a_part_that_nothing_recomputes_is_noted_and_another_versions_figure_passes() -> None:
    findings = Findings()
    findings.compare("m.json", {"a": 1.0, "noise": {"ua": 0.5}}, {"a": 1.0, "b": 2}, is_same_version=False)
    assert (findings.n_figures, findings.mismatches) == (1, [])
    assert findings.notes == ["m.json: not recomputed: noise"]
    findings.compare("m.json", {"a": [1.0, 2.0]}, {"a": [1.0]})
    assert [each.key for each in findings.mismatches] == ["a[1]"]
