"""`audionas reproduce PAPER` of hand-made systems: each variant retrained by the paper's rules, ours beside theirs.

    OUT/prepared   OUT/<variant>   OUT/tables.json   OUT/tables.md   and of a paper with a scan what `scan` says
    OUT/<kind>_pretraining   OUT/hypercolumns   of Future Observation Prediction

Every variant is an ordinary retraining in a folder of its own, so that a stopped reproduction goes on where it was.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from audionas.errors import ManifestError, RunError
from audionas.experiment.corpus import data_record
from audionas.experiment.prepare import Prepared, PrepareOptions, prepare
from audionas.experiment.retrain import RetrainRequest, resume_retraining, retrain
from audionas.experiment.run_folder import RUN_FILE, RunFolder
from audionas.experiment.run_step import run_step, words
from audionas.experiment.talk import Silent, Talk
from audionas.models.baselines import BASELINES
from audionas.records import validate
from audionas.reproductions.begin import output_folder
from audionas.reproductions.fop_steps import columns, pretrained, pretraining_folder
from audionas.reproductions.hand_made_papers import PAPERS, Variant
from audionas.reproductions.hand_made_plan import HandMadePlan, HandMadeRequest, make_plan
from audionas.reproductions.hand_made_tables import write_tables
from audionas.reproductions.scan import scan
from audionas.spaces import BaselineGenotype

KIND = "reproduce"


def reproduce(request: HandMadeRequest, talk: Talk | None = None) -> Path:
    """Run the paper; returns the run folder, which holds `tables.json` and `tables.md`.

    Raises:
        AudionasError: of its kinds, for anything in the request or the data that cannot be used.
        KeyboardInterrupt: stopped; `resume_reproduction` goes on.
    """
    talk = talk or Silent()
    plan = make_plan(request)
    out = output_folder(request.out, request.paper, request.data, is_smoke=plan.is_smoke)
    prepared = _prepare(request, plan, out, talk)
    run = RunFolder.create(
        out, KIND, list(request.argv), plan=plan.model_dump(mode="json"), data=data_record(prepared.manifest)
    )
    talk.say(f"run folder: {out} (after a stop: audionas reproduce {request.paper} --resume {out})")
    return _work(run, talk)


def resume_reproduction(paper: str, path: Path, talk: Talk | None = None) -> Path:
    """Go on with a reproduction that was stopped; finished variants are not trained again.

    Raises:
        RunError: the folder is none of this paper.
    """
    run = RunFolder.open(path, KIND)
    found = run.record["plan"].get("paper", "emotionnas")
    if found != paper:
        raise RunError(f"{path}: reproduces {found}; audionas reproduce {found} --resume {path}")
    if run.record["status"] == "done":
        (talk or Silent()).say(f"{path}: this reproduction is done already")
        return path
    return _work(run, talk or Silent())


def _work(run: RunFolder, talk: Talk) -> Path:
    plan = validate(HandMadePlan, run.record["plan"], str(run.path / RUN_FILE))
    with run.working():
        for name, variant in PAPERS[plan.paper].variants.items():
            talk.say(f"{plan.paper}: {name}")
            if variant.pretraining:
                pretrained(variant.pretraining, plan, run.path, talk)

            def start(place: Path, name: str = name, variant: Variant = variant) -> None:
                retrain(_request(plan, name, variant, run.path, place), talk)

            run_step(run.path / name, start, resume_retraining, talk)
        if PAPERS[plan.paper].hypercolumns:
            columns(plan, run.path, talk)
        write_tables(run, plan)
        if space := PAPERS[plan.paper].scan:
            scan(space, plan, run.path, talk)
    return run.path


def _prepare(request: HandMadeRequest, plan: HandMadePlan, out: Path, talk: Talk) -> Prepared:
    dataset = PAPERS[plan.paper].dataset if plan.corpus == "iemocap" and not plan.is_smoke else None
    options = PrepareOptions(dataset=dataset, protocol=plan.protocol)
    prepared = prepare(request.data, out / "prepared", options, talk.progress)
    if not prepared.manifest.speaker_independence_checked:
        shutil.rmtree(out / "prepared")
        out.rmdir()
        raise ManifestError(f"{prepared.manifest.root}: the speakers are not known; the paper's protocol needs them")
    return prepared


def _request(plan: HandMadePlan, name: str, variant: Variant, out: Path, place: Path) -> RetrainRequest:
    """The retraining of one variant: the paper's batch size and weighting, one seed after the other."""
    line = BASELINES[variant.baseline]
    sources = (pretraining_folder(out, variant.pretraining),) if variant.pretraining else ()
    request = RetrainRequest(
        sources=sources,
        data=out / "prepared",
        baseline=None if sources else BaselineGenotype.of(variant.baseline, variant.settings),
        epochs=plan.epochs[name],
        batch_size=line.batch_size,
        class_weighting=line.class_weighting,
        seeds=plan.seeds,
        select=variant.select,
        device=plan.device,
        threads=plan.threads,
        out=place,
    )
    flags = {
        "--baseline": None if sources else variant.baseline,
        "--epochs": request.epochs, "--batch-size": request.batch_size,
        "--class-weighting": request.class_weighting, "--seeds": request.seeds, "--select": request.select,
        "--device": request.device, "--threads": request.threads, "--out": place,
    }  # fmt: skip
    sets = [word for key, value in variant.settings.items() for word in ("--set", f"{key}={value}")]
    return replace(request, argv=("retrain", *map(str, sources), *words(flags), *sets, str(request.data)))
