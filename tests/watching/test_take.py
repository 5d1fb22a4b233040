"""A snapshot of every kind of run, finished, working, stopped, dead or damaged."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from audionas.errors import RunError
from audionas.watching.lines import snapshot_lines
from audionas.watching.snapshot import Snapshot
from audionas.watching.take import COURSES, take_snapshot
from tests.report.run_folders import write_json, write_lines, write_trials
from tests.watching.small_runs import hold, write_epochs, write_history, write_run


def numbers(snapshot: Snapshot) -> list[tuple[str, int, int | None]]:
    return [(each.what, each.done, each.total) for each in snapshot.course.progress]


def states(snapshot: Snapshot) -> dict[str, str]:
    return {part.name: part.status for part in snapshot.course.parts}


def test_a_search_at_work_tells_epochs_time_left_scores_and_genotype(tmp_path: Path) -> None:
    run = write_run(tmp_path, "search", "running", epochs=10, strategy="darts", space="darts_cnn", seed=0)
    write_epochs(run, 4)
    lock = hold(run)
    found = take_snapshot(run)
    lock.release()
    assert (found.state, found.ended, found.has_ended) == ("running", None, False)
    assert numbers(found) == [("epochs", 4, 10)]
    assert found.course.progress[0].seconds_left == pytest.approx(6 * 2.0)
    scores = dict(found.course.scores)
    assert scores["loss"] == "weights 1.200, alphas 1.600"
    assert scores["UA"] == "supernet 0.500, network 0.400 (monitor)"
    assert scores["skips"] == "1 of 4 edges"
    series = {each.name: each.values for each in found.course.series}
    assert series["UA network"] == pytest.approx((0.25, 0.30, 0.35, 0.40))
    assert found.course.genotype[0] == "normal: node 2 = skip_connect of 0 + sep_conv_3x3 of 1"
    assert found.title == "search: darts, over darts_cnn, seed 0"


def test_a_run_whose_process_died_says_so_and_how_to_go_on(tmp_path: Path) -> None:
    run = write_run(tmp_path, "nested_search", "running", splits=["1", "2"])
    hold(run).release()
    found = take_snapshot(run)
    assert found.state == "died"
    assert found.ended is not None
    assert found.ended.startswith("its process has died")
    assert found.ended.endswith(f"go on with: audionas search --resume {run}")
    assert states(found) == {"split 1": "not begun", "split 2": "not begun"}


def test_a_run_that_is_not_locked_yet_is_starting_and_after_ten_minutes_dead(tmp_path: Path) -> None:
    run = write_run(tmp_path, "search", "running", epochs=2)
    assert take_snapshot(run).state == "starting"
    past = time.time() - 601
    os.utime(run / "run.json", (past, past))
    assert take_snapshot(run).state == "died"


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("search", {"status": "interrupted"}, "interrupted; go on with: audionas search --resume {run}"),
        ("retrain", {"status": "failed", "error": "disk full"}, "failed: disk full; mend it, and go on with: "),
        ("reproduce", {"status": "interrupted"}, "go on with: audionas reproduce emotionnas --resume {run}"),
        ("reproduce", {"status": "interrupted", "plan": {"paper": "fop"}}, "audionas reproduce fop --resume"),
        ("fuse", {"status": "interrupted"}, "go on with: audionas fuse"),
        ("search", {"status": "done", "stopped_by": "collapse"}, "done (stopped by collapse)"),
    ],
)
def test_an_ended_run_says_how(tmp_path: Path, kind: str, fields: dict[str, object], told: str) -> None:
    run = write_run(tmp_path, kind, **fields)  # type: ignore[arg-type]
    found = take_snapshot(run)
    assert found.has_ended
    assert told.format(run=run) in str(found.ended)


def test_a_nested_search_shows_every_split_and_the_one_under_way(tmp_path: Path) -> None:
    run = write_run(tmp_path, "nested_search", "running", splits=["1", "2", "3"], epochs=4)
    write_epochs(write_run(run / "split_1", "search", epochs=4, split="1"), 4)
    write_epochs(write_run(run / "split_2", "search", "running", epochs=4, split="2"), 1)
    lock = hold(run)
    found = take_snapshot(run)
    lock.release()
    assert numbers(found) == [("splits", 1, 3), ("epochs", 1, 4)]
    assert states(found) == {"split 1": "done", "split 2": "running", "split 3": "waiting"}
    assert found.course.current == "split 2"
    assert found.course.progress[0].seconds_left == pytest.approx(3 * 2.0 + 10.0)  # three epochs, and a whole split


def test_restarts_within_a_split_are_shown_inside_it(tmp_path: Path) -> None:
    run = write_run(tmp_path, "nested_search", splits=["1"], restarts=2)
    inner = write_run(run / "split_1", "search", "running", restarts=2, split="1")
    for number, n in ((1, 2), (2, 1)):
        folder = write_run(inner / f"restart_{number}", "search", "running", restart=number, epochs=2)
        write_epochs(folder, n)
    found = take_snapshot(run)
    assert found.course.current == "split 1, restart 1"
    assert [name for name, _, _ in numbers(found)] == ["splits", "restarts", "epochs"]


def test_trials_tell_the_best_the_failed_and_those_under_way(tmp_path: Path) -> None:
    run = write_trials(tmp_path / "run")
    events = [json.loads(line) for line in (run / "trials.jsonl").read_text().splitlines()]
    ua = {event["number"]: event["score"]["ua"] for event in events if event.get("score")}
    best = max(ua, key=lambda number: ua[number])
    found = take_snapshot(run)
    assert numbers(found) == [("trials", 13, 14)]
    assert str(found.course.best).startswith(f"trial {best + 1}: UA {ua[best]:.3f}, ")
    assert dict(found.course.scores) == {"under way": "1", "failed": "1, the last: loss is not finite at step 12"}
    assert [each.name for each in found.course.series] == ["UA"]


def test_trials_of_several_lengths_are_counted_in_whole_trainings(tmp_path: Path) -> None:
    rungs = [{"epochs": 1, "fraction": 1.0}, {"epochs": 4, "fraction": 1.0}]
    run = write_run(tmp_path, "search", trials=3, rungs=rungs)
    (run / "strategy.yaml").write_text("algorithm: successive_halving\nbudget: {epochs: 4, trials: 3}\n")
    lines = []
    for number, (epochs, loss) in enumerate([(1, 0.5), (1, 0.9), (4, 0.8), (4, 0.7)]):
        score = {"ua": 0.5, "loss": loss, "balanced_loss": loss, "parameters": 5, "seconds": epochs}
        lines.append({"event": "proposed", "number": number, "hash": str(number), "epochs": epochs})
        lines.append({"event": "finished", "number": number, "status": "done", "score": score, "seconds": epochs})
    write_lines(run / "trials.jsonl", lines)
    found = take_snapshot(run)
    assert numbers(found) == [("whole trainings (4 trials)", 2, 3)]  # 2 x 1/4 + 2 x 4/4 = 2.5
    assert found.course.best == "trial 4: balanced loss 0.700, UA 0.500, 5 parameters"  # of those trained most


def test_a_retraining_counts_trainings_with_the_epochs_of_the_one_under_way(tmp_path: Path) -> None:
    genotypes = {"1": "a", "2": "b"}
    run = write_run(tmp_path, "retrain", "running", genotypes=genotypes, seeds=[0, 1], epochs=4)
    write_history(run / "split_1" / "seed_0", 4, is_done=True)
    write_history(run / "split_1" / "seed_1", 3)
    lock = hold(run)
    found = take_snapshot(run)
    lock.release()
    assert numbers(found) == [("trainings", 1, 4), ("epochs of split 1, seed 1", 3, 4)]
    assert found.course.progress[0].seconds_left == pytest.approx((1 + 4 + 4) * 0.5)
    assert states(found) == {"split 1": "running", "split 2": "waiting"}
    assert found.course.series[0].values == pytest.approx((1.0, 1 / 2, 1 / 3))


def test_the_scores_of_finished_trainings_are_those_of_their_predictions(tmp_path: Path) -> None:
    run = write_run(tmp_path, "retrain", genotypes={"1": "a"}, seeds=[0], epochs=2)
    write_history(run / "split_1" / "seed_0", 2, is_done=True)
    rows = ["a,a,test,0.9,0.1", "a,b,test,0.2,0.8", "b,b,test,0.1,0.9", "b,b,test,0.1,0.9"]  # recalls 1/2 and 1
    table = "\n".join(f"c{k},g{k},{row}" for k, row in enumerate(rows))
    (run / "split_1" / "seed_0" / "predictions.csv").write_text(f"clip,group,label,predicted,part,p:a,p:b\n{table}\n")
    found = take_snapshot(run)
    assert found.course.parts[0].text == "1/1 seeds, UA 0.750"


def test_a_pre_training_a_ranking_and_hypercolumns_tell_how_far_they_are(tmp_path: Path) -> None:
    pretraining = write_run(tmp_path / "pre", "pretrain", plan={"epochs": 5}, epoch_used=1)
    write_history(pretraining, 3)
    assert numbers(take_snapshot(pretraining)) == [("epochs at most", 3, 5)]
    assert take_snapshot(pretraining).course.best == "epoch 2 of 3 is taken"
    ranking = write_run(tmp_path / "rank", "rank", genotypes=4)
    line = {"supernet_ua": 0.5, "retrained": [{"ua": 0.6}, {"ua": 0.7}], "seconds": 3.0}
    write_lines(ranking / "genotypes.jsonl", [line])
    found = take_snapshot(ranking)
    assert numbers(found) == [("genotypes", 1, 4)]
    assert {each.name: each.values for each in found.course.series} == {
        "UA in the supernet": (0.5,), "UA trained alone": (0.6,),
    }  # fmt: skip
    columns = write_run(tmp_path / "columns", "hypercolumns", plan={"levels": ["h1", "h2"], "classifiers": ["svm"]})
    write_json(columns / "h1_svm" / "metrics.json", {"headline": {"ua": 0.5, "wa": 0.6}})
    found = take_snapshot(columns)
    assert numbers(found) == [("levels and classifiers", 1, 2)]
    assert found.course.scores == (("h1_svm", "UA 0.500, WA 0.600"),)


def test_an_evaluation_and_a_fusion_show_their_scores(tmp_path: Path) -> None:
    names = ["split_1/seed_0", "split_1/seed_1"]
    evaluation = write_run(tmp_path / "evaluated", "evaluate", networks=names)
    for name in names[:1]:
        (evaluation / name).mkdir(parents=True)
        (evaluation / name / "predictions.csv").touch()
    scores = {"ua": 0.5, "ua_sd": 0.01, "ua_interval": [0.4, 0.6], "wa": 0.6}
    write_json(evaluation / "metrics.json", {"headline": scores})
    found = take_snapshot(evaluation)
    assert numbers(found) == [("networks", 1, 2)]
    assert found.course.scores == (("headline", "UA 0.500 +- 0.010 [0.400, 0.600], WA 0.600"),)
    fusion = write_run(tmp_path / "fused", "fuse")
    rows = [{"name": "MLP", "ua": 0.7, "wa": 0.7}, {"name": "average", "ua": 0.6, "wa": 0.6}]
    write_json(fusion / "metrics.json", {"headline": None, "all_splits": {"rows": rows, "conclusion": "level"}})
    found = take_snapshot(fusion)
    assert found.course.scores == (("MLP", "UA 0.700, WA 0.700"), ("average", "UA 0.600, WA 0.600"))
    assert found.course.best == "level"


def test_a_comparison_knows_how_many_steps_it_has_and_a_reproduction_shows_those_begun(tmp_path: Path) -> None:
    plan = {"space": "darts_cnn_small", "arms": {"darts": "darts", "random_search": "random"}, "searches": 1,
            "networks": [], "architectures": 8}  # fmt: skip
    run = write_run(tmp_path / "compared", "compare", "running", plan=plan)
    write_epochs(write_run(run / "darts" / "search_0", "nested_search", splits=["1"]) / "split_1", 1)
    write_run(run / "darts" / "search_0" / "split_1", "search", epochs=1)
    write_run(run / "random_search" / "search_0", "nested_search", "running", splits=["1"], created="2026-01-02")
    lock = hold(run)
    found = take_snapshot(run)
    lock.release()
    assert numbers(found)[0] == ("steps", 1, 2 * 2 + 8)
    assert states(found)["darts/search_0"] == "done"
    assert found.course.current == "random_search/search_0"
    paper = write_run(tmp_path / "paper", "reproduce", plan={})
    write_run(paper / "fused", "fuse")
    assert numbers(take_snapshot(paper))[0] == ("steps", 1, None)


def test_later_steps_in_a_searchs_folder_are_named(tmp_path: Path) -> None:
    run = write_run(tmp_path, "search", epochs=1)
    inner = write_run(run / "retrained", "retrain", "running")
    write_json(run / "retrained-2" / "run.json", {"schema_version": 9})
    lock = hold(inner)
    inside = {part.name: part for part in take_snapshot(run).inside}
    lock.release()
    assert inside["retrained"].status == "running"
    assert inside["retrained"].text == f"audionas watch {inner}"
    assert inside["retrained-2"].status == "damaged"


def test_no_kind_is_forgotten(tmp_path: Path) -> None:
    for kind in COURSES:
        found = take_snapshot(write_run(tmp_path / kind, kind))
        assert found.course.problems == (), kind
        assert snapshot_lines(found)
        json.dumps(found.as_record(), allow_nan=False)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("epochs.jsonl", '{"epoch": 0, "weights_loss": "high"}\n', "line 1 is none of this log"),
        ("epochs.jsonl", "not json\nnor this\n", "line 1 is not JSON"),
        ("trials.jsonl", '{"event": "refused", "hash": "1", "reason": 3}\n', "reason: got 3, must be text"),
        ("genotype.json", "[1]", "not a genotype: expected a JSON object, got list"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_told_and_the_rest_is_shown(tmp_path: Path, name: str, content: str, told: str) -> None:
    run = write_run(tmp_path, "search", epochs=3)
    (run / name).write_text(content)
    found = take_snapshot(run)
    assert told in found.course.problems[0]
    assert found.state == "done"


def test_a_file_of_another_form_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    run = write_run(tmp_path, "search", splits=7)
    assert "has another form than expected" in take_snapshot(run).course.problems[0]


def test_an_unknown_kind_names_those_that_are_known(tmp_path: Path) -> None:
    run = write_run(tmp_path, "dream")
    assert "kind 'dream' is unknown to this audionas; known: search, " in take_snapshot(run).course.problems[0]


def test_a_folder_that_is_no_run_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run folder"):
        take_snapshot(tmp_path / "nowhere")
    with pytest.raises(RunError, match="no run here"):
        take_snapshot(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(RunError, match=r"is .* a run folder"):
        take_snapshot(tmp_path)
    write_json(tmp_path / "run.json", {"schema_version": 2})
    with pytest.raises(RunError, match="not a run of version 1"):
        take_snapshot(tmp_path)


def test_a_torn_last_line_of_a_run_at_work_is_left_out(tmp_path: Path) -> None:
    run = write_run(tmp_path, "search", "running", epochs=3)
    write_epochs(run, 2)
    with (run / "epochs.jsonl").open("a") as stream:
        stream.write('{"epoch": 2, "wei')
    lock = hold(run)
    found = take_snapshot(run)
    lock.release()
    assert numbers(found) == [("epochs", 2, 3)]
    assert found.course.problems == ()


def test_nothing_is_written_into_a_run_that_is_looked_at(tmp_path: Path) -> None:
    run = write_trials(tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    take_snapshot(run)
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before
