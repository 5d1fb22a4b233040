"""`audionas rank`: does a trained supernet rank architectures as training them from scratch does?

Uniformly random genotypes of the space are (a) scored as sub-networks of the supernet and (b) trained alone, with two
seeds, on the weights part; both are scored on the same clips, the monitor part or, where there is none, the alphas
part. Kendall's tau between (a) and (b) is read against the tau between the two seeds of (b), the noise ceiling:
no ranking can be expected to agree with retraining better than retraining does with itself. No test clip is read.

Each genotype is one line of `genotypes.jsonl`, written when all three scores are known; a killed ranking goes on there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audionas.errors import SettingsError
from audionas.experiment.corpus import part_record
from audionas.experiment.machine import thread_count
from audionas.experiment.ranked_genotypes import RankedSearch, check_line, distinct_genotypes, open_ranked_search
from audionas.experiment.ranking_words import FOR_A_CLAIM, conclusion
from audionas.experiment.run_folder import RunFolder, refuse_occupied
from audionas.experiment.run_start import start_computing
from audionas.experiment.talk import Silent, Talk
from audionas.quantities import count_text, seconds_text
from audionas.records import append_jsonl, read_jsonl, rewrite_jsonl, write_json
from audionas.run_places import RANKING
from audionas.spaces import Genotype
from audionas.statistics.rank_agreement import ceiling_ratio
from audionas.training.devices import gpu_index
from audionas.training.measures import measure_of_key

GENOTYPES_FILE, RESULT_FILE = "genotypes.jsonl", "ranking.json"


@dataclass(frozen=True)
class RankRequest:
    """What the user asked for; `epochs` None: as many as the search had."""

    run: Path
    genotypes: int = FOR_A_CLAIM
    epochs: int | None = None
    seed: int = 0
    device: str = "cpu"
    threads: int | None = None
    out: Path | None = None
    argv: tuple[str, ...] = ("rank",)


def rank(request: RankRequest, talk: Talk | None = None) -> Path:
    """Rank genotypes by a search's supernet and by retraining; returns the folder, which holds `ranking.json`.

    Raises:
        AudionasError: of its kinds, for a request or a run that cannot be used.
        KeyboardInterrupt: stopped; `resume_ranking` goes on.
    """
    talk = talk or Silent()
    _check(request)
    out = request.out or request.run / RANKING
    searched = open_ranked_search(request.run, request.device, talk)
    refuse_occupied(out)
    distinct_genotypes(searched.space, request.genotypes, request.seed)
    manifest = searched.as_searched.manifest
    record = RunFolder.open(request.run).record
    run = RunFolder.create(
        out, "rank", list(request.argv),
        search=os.path.relpath(request.run.resolve(), out.resolve()),
        genotypes=request.genotypes,
        epochs=request.epochs or searched.strategy.budget.epochs,
        seed=request.seed,
        part=searched.part,
        parts={name: part_record(manifest, rows) for name, rows in searched.as_searched.parts.items()},
        device=request.device,
        threads=thread_count(request.threads, searched.as_searched.input_shape),
        data=record["data"],
    )  # fmt: skip
    talk.say(f"run folder: {out} (after a stop: audionas rank --resume {out})")
    return _work(run, searched, talk)


def resume_ranking(path: Path, talk: Talk | None = None) -> Path:
    """Go on with a ranking that was stopped; genotypes that are scored are not scored again.

    Raises:
        RunError: the folder is no ranking, is in use, or its search is gone.
    """
    talk = talk or Silent()
    run = RunFolder.open(path, "rank")
    if run.record["status"] == "done":
        talk.say(f"{path}: this ranking is done already")
        return path
    search = (path / run.record["search"]).resolve()
    return _work(run, open_ranked_search(search, run.record["device"], talk), talk)


def _check(request: RankRequest) -> None:
    gpu_index(request.device)
    if request.genotypes < 2:
        raise SettingsError(f"--genotypes: got {request.genotypes}, must be 2 or more, {FOR_A_CLAIM} for a claim")
    if request.epochs is not None and request.epochs < 1:
        raise SettingsError(f"--epochs: got {request.epochs}, must be 1 or more")
    if request.threads is not None and request.threads < 1:
        raise SettingsError(f"--threads: got {request.threads}, must be 1 or more")


def _work(run: RunFolder, searched: RankedSearch, talk: Talk) -> Path:
    start_computing(run, talk)
    with run.working():
        lines = _scored(run, searched, talk)
        result = ranking_result(run.record, lines, searched.main)
        if result["warning"]:
            run.warn(result["warning"])
        write_json(run.path / RESULT_FILE, result)
    return run.path


def _scored(run: RunFolder, searched: RankedSearch, talk: Talk) -> list[dict[str, Any]]:
    """The lines of all genotypes; those in the log are taken from it."""
    record, path = run.record, run.path / GENOTYPES_FILE
    genotypes: Sequence[Genotype] = distinct_genotypes(searched.space, record["genotypes"], record["seed"])
    lines = read_jsonl(path)[: len(genotypes)]
    for line, genotype in zip(lines, genotypes, strict=False):
        check_line(line, genotype, path)
    rewrite_jsonl(path, lines)
    for number in range(len(lines), len(genotypes)):
        scores = searched.score(
            genotypes[number], epochs=record["epochs"], seed=record["seed"], device=record["device"]
        )
        lines.append({"number": number, **scores})
        append_jsonl(path, lines[-1])
        talk.say(_line_text(lines, len(genotypes), searched.main))
    return lines


def _line_text(lines: Sequence[dict[str, Any]], n: int, main: str) -> str:
    last = lines[-1]
    left = (n - len(lines)) * sum(line["seconds"] for line in lines) / len(lines)
    alone = " and ".join("failed" if each[main] is None else f"{each[main]:.3f}" for each in last["retrained"])
    return (
        f"genotype {len(lines)}/{n}  {measure_of_key(main).name} in the supernet {last[f'supernet_{main}']:.3f}, "
        f"trained alone {alone}  "
        f"{last['seconds']:.1f} s, {seconds_text(left)} left"
    )


def ranking_result(record: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], main: str) -> dict[str, Any]:
    """What `ranking.json` holds; genotypes of which a training diverged are counted and left out.

    Args:
        record: of the ranking's `run.json`.
        lines: of its `genotypes.jsonl`.
        main: key of the score.
    """
    used = [line for line in lines if all(each[main] is not None for each in line["retrained"])]
    supernet = [line[f"supernet_{main}"] for line in used]
    first, second = ([line["retrained"][which][main] for line in used] for which in (0, 1))
    found = ceiling_ratio(supernet, first, second).as_record()
    part = record["part"]
    warning = None
    if len(used) < FOR_A_CLAIM:
        warning = (
            f"{count_text(len(used), 'genotype')}, fewer than the {FOR_A_CLAIM} of a claim: the intervals are wide"
        )
    return {
        "schema_version": 1,
        "what": f"{measure_of_key(main).name} on the {part} part; {record['epochs']} epochs alone; "
        "Kendall's tau-b; 95 % intervals over genotypes",
        "n_genotypes": len(used),
        "n_failed": len(lines) - len(used),
        "part": part,
        "n_clips": record["parts"][part]["n_clips"],
        "n_groups": record["parts"][part]["n_groups"],
        **found,
        "conclusion": conclusion(found),
        "warning": warning,
    }


__all__ = ["GENOTYPES_FILE", "RESULT_FILE", "RankRequest", "rank", "ranking_result", "resume_ranking"]
