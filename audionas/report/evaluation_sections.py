"""The page of an evaluation on another corpus: the score with what it is of, labels, confusion, groups, networks."""

from __future__ import annotations

import numpy as np

from audionas.quantities import count_text, p_text
from audionas.report.blocks import Block, Facts, Gallery, Pictures, Section, Table
from audionas.report.confusion import draw_confusion
from audionas.report.evidence import chance_text, evidence_note
from audionas.report.group_picture import group_picture
from audionas.report.group_tables import group_tables
from audionas.report.quantities import data_name, interval_text, plain, score_text
from audionas.report.run_files import JsonObject, RunFiles
from audionas.report.scored_systems import second_interval
from audionas.report.verdict import STATUS_WORDS
from audionas.training.measures import measures_of


def evaluation_title(files: RunFiles) -> str:
    """Which networks, on which corpus."""
    return f"Networks of {data_name(files.top.get('trained_on') or {})} on {data_name(files.data)}"


def evaluation_verdict(files: RunFiles) -> list[str]:
    """The score beside chance; or how far the evaluation has come."""
    metrics = files.evaluation or {}
    found, chance = metrics.get("headline"), metrics.get("chance") or {}
    main, _ = measures_of(metrics)
    if not found:
        status = str(files.top.get("status", "done"))
        return [f"The evaluation {STATUS_WORDS.get(status, 'is done')}; there is no score yet."]
    sentences = [
        f"{main.name} {_text(found, main.key)} on {count_text(found.get('n_clips'), 'clip')} of another corpus; chance "
        f"is {score_text(chance.get(main.key))}.",
        f"It is of {found.get('what')}.",
    ]
    if found.get("verdict"):
        sentences.insert(0, f"{str(found['verdict']).capitalize()} (p {p_text(found['chance']['p'])}).")
        sentences += [f"{str(found['claim'])[:1].upper()}{str(found['claim'])[1:]}."] if found.get("claim") else []
    if found.get("n_clips_left_out"):
        left_out = count_text(found["n_clips_left_out"], "clip")
        sentences.append(f"Left out, because a network or its search has read their groups: up to {left_out}.")
    if metrics.get("speaker_independence_checked") is False:
        sentences.append("Speaker independence not checked: every file is its own group.")
    return sentences


def evaluation_sections(files: RunFiles) -> list[Section | None]:
    """Labels, networks and groups."""
    metrics = files.evaluation or {}
    facts = Facts((
        ("networks of", str(files.top.get("evaluated", ""))),
        ("labels (data as network)", plain(metrics.get("label_map") or files.top.get("label_map"))),
        ("networks that have read every group", plain(metrics.get("networks_without_clips") or [])),
        ("labels left out, rows", plain(metrics.get("labels_left_out") or files.top.get("labels_left_out"))),
    ))  # fmt: skip
    blocks: list[Block] = [facts]
    if metrics:
        pictures = Pictures()
        blocks += [
            _overview(files, metrics),
            *_confusion(metrics, pictures),
            *group_picture(metrics, pictures),
            *group_tables(metrics),
            _networks(metrics),
        ]
    return [Section("scores", "Scores on the other corpus", tuple(blocks))]


def _overview(files: RunFiles, metrics: JsonObject) -> Table:
    """Both scores with their intervals, the main one with its p against chance."""
    found = metrics.get("headline") or {}
    main, second = measures_of(metrics)
    row = (
        str(found.get("verdict") or "scored"),
        _text(found, main.key),
        interval_text(found.get(f"{main.key}_interval")),
        chance_text(found),
        _text(found, second.key),
        interval_text(second_interval(files, metrics, found)),
        plain(found.get("n_networks")),
        plain(found.get("n_clips")),
    )
    head = (
        "against chance", main.name, f"95 % of {main.name}", "p", second.name, f"95 % of {second.name}", "networks",
        "clips",
    )  # fmt: skip
    note = evidence_note(found, main, second)
    return Table("Scores, mean ± sd over networks", head, (row,), note)


def _confusion(metrics: JsonObject, pictures: Pictures) -> list[Block]:
    """The matrix summed over networks, and the recall of each class; of classifications."""
    counts = [np.asarray(row["confusion"]) for row in metrics.get("networks") or [] if row.get("confusion")]
    labels = [str(label) for label in metrics.get("labels") or []]
    if not counts or counts[0].shape != (len(labels), len(labels)):
        return []
    total = np.sum(counts, axis=0)
    many = f" and {len(counts)} networks: every clip counts once a network that it is scored by" if counts[1:] else ""
    caption = f"Share of the row, and clips below it; rows are the truth; summed over all clips{many}."
    picture = pictures.make("Confusion matrix", draw_confusion(total, labels), caption)
    rows = tuple(
        (label, str(own.sum()), score_text(float(own[i] / own.sum())) if own.sum() else "no clips")
        for i, (label, own) in enumerate(zip(labels, total, strict=True))
    )
    head = ("class", "clips, over all networks", "recall")
    return [Gallery((picture,)), Table("Recall of each class", head, rows)]


def _networks(metrics: JsonObject) -> Table:
    measures = measures_of(metrics)
    rows = tuple(
        (
            str(row.get("network")),
            *(score_text(row.get(each.key)) for each in measures),
            plain(row.get("n_clips")),
            plain(row.get("groups_left_out") or []),
            "diverged, scored as chance" if row.get("is_chance") else "",
        )
        for row in metrics.get("networks") or []
    )
    names = (each.name for each in measures)
    return Table("Each network", ("network", *names, "clips", "groups left out", "remark"), rows)


def _text(found: JsonObject, name: str) -> str:
    return score_text(found.get(name), found.get(f"{name}_sd"), int(found.get("n_networks") or 1))
