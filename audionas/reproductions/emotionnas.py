"""`audionas reproduce emotionnas`: both streams searched and retrained per split, fused, and the paper's tables.

Every step is an ordinary run in a folder of its own, so that a stopped reproduction goes on where it was:

    OUT/prepared   OUT/spectrogram/{search,masked,unmasked}   OUT/frames/{search,masked,unmasked}
    OUT/fused   OUT/tables.json   OUT/tables.md

Of several `--frames` each is searched (`frames/search_1`, ...), and `frames/choice.json` says which each split took.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from audionas.errors import ManifestError, RunError
from audionas.experiment.corpus import data_record
from audionas.experiment.fuse import FuseRequest, fuse
from audionas.experiment.prepare import Prepared, PrepareOptions, prepare
from audionas.experiment.retrain import RetrainRequest, resume_retraining, retrain
from audionas.experiment.run_folder import RUN_FILE, RunFolder
from audionas.experiment.run_step import run_step, words
from audionas.experiment.search import SearchRequest, resume, search
from audionas.experiment.search_plan import yaml_text
from audionas.experiment.talk import Silent, Talk
from audionas.experiment.workers import run_side_by_side
from audionas.features import load_features
from audionas.features.stft_extractor import MAX_AUTO_RATE_HZ
from audionas.records import validate, write_text
from audionas.reproductions.begin import output_folder
from audionas.reproductions.emotionnas_plan import PADDINGS, Plan, ReproduceRequest, make_plan
from audionas.reproductions.emotionnas_tables import write_tables
from audionas.reproductions.frames_choice import chosen_searches, search_names
from audionas.search import load_strategy
from audionas.spaces import load_search_space

STREAMS = ("spectrogram", "frames")
KIND = "reproduce"
CATALOGUE = "nas_bench_nlp_catalogue_two_states"
EMOTIONS = ("anger", "happiness", "neutral", "sadness")
ENCODER_FACTS = ("fingerprint", "width", "hop_samples", "field_samples", "n_states", "chunk_samples")
LONG_S = 10.0  # any length, to read what an encoder's files say


def reproduce(request: ReproduceRequest, talk: Talk | None = None) -> Path:
    """Run the paper; returns the run folder, which holds `tables.json` and `tables.md`.

    Raises:
        AudionasError: of its kinds, for anything in the request or the data that cannot be used.
        KeyboardInterrupt: stopped; `resume_reproduction` goes on.
    """
    talk = talk or Silent()
    plan = make_plan(request)
    frames = _check_inputs(plan)
    out = output_folder(request.out, "emotionnas", request.data, is_smoke=plan.is_smoke)
    prepared = _prepare(request, plan, out, talk)
    _write_inputs(plan, out, frames)
    fields = {"plan": plan.model_dump(mode="json"), "data": data_record(prepared.manifest)}
    run = RunFolder.create(out, KIND, list(request.argv), **fields)
    talk.say(f"run folder: {out} (after a stop: audionas reproduce emotionnas --resume {out})")
    return _work(run, talk)


def resume_reproduction(path: Path, talk: Talk | None = None) -> Path:
    """Go on with a reproduction that was stopped; finished steps are not repeated."""
    run = RunFolder.open(path, KIND)
    paper = run.record["plan"].get("paper")
    if paper is not None:
        raise RunError(f"{path}: reproduces {paper}; audionas reproduce {paper} --resume {path}")
    if run.record["status"] == "done":
        (talk or Silent()).say(f"{path}: this reproduction is done already")
        return path
    return _work(run, talk or Silent())


def run_stream(out: Path, name: str, talk: Talk) -> None:
    """All steps of one stream: nested search, retraining with padding masked, and with padding counted."""
    plan = validate(Plan, RunFolder.open(out, KIND).record["plan"], str(out / RUN_FILE))
    folder = out / name
    for search_name in _searches(plan, name):
        talk.say(f"{name}: nested {search_name.replace('_', ' ')}")
        run_step(
            folder / search_name,
            lambda place: search(_search_request(plan, out, name, place), talk),
            resume,
            talk,
        )
    for padding in PADDINGS:
        talk.say(f"{name}: retraining, padding {padding}")
        run_step(
            folder / padding,
            lambda place, padding=padding: retrain(_retrain_request(plan, out, name, padding, place), talk),  # type: ignore[misc]
            resume_retraining,
            talk,
        )


def _searches(plan: Plan, name: str) -> list[str]:
    return search_names(plan.frames) if name == "frames" else ["search"]


def _work(run: RunFolder, talk: Talk) -> Path:
    plan = validate(Plan, run.record["plan"], str(run.path / RUN_FILE))
    with run.working():
        if plan.workers > 1:
            run_side_by_side(run_stream, run.path, STREAMS)
        else:
            for name in STREAMS:
                run_stream(run.path, name, talk)
        fused = run.path / "fused"
        if not (fused / "metrics.json").exists():
            shutil.rmtree(fused, ignore_errors=True)
            masked = tuple(run.path / name / "masked" for name in STREAMS)
            fuse(FuseRequest(masked, out=fused, argv=("fuse", *(str(path) for path in masked))), talk)
        write_tables(run, plan)
    return run.path


def _check_inputs(plan: Plan) -> list[dict[str, Any]]:
    """Read every space, strategy, feature and encoder before the first step; gives the settings of all frames.

    What is known of the encoder stands in them, so that another one of the same name is noticed hours later.

    Raises:
        SettingsError: one of them cannot be read or used.
    """
    load_strategy(plan.strategy).for_space(load_search_space(plan.space))
    load_features(load_search_space(plan.space).features)
    return [_frame_settings(name) for name in plan.frames]


def _frame_settings(name: str) -> dict[str, Any]:
    asked = load_features(name)
    known = asked.resolve(MAX_AUTO_RATE_HZ, [LONG_S]).settings()
    return {**asked.settings(), **{key: known[key] for key in ENCODER_FACTS if key in known}}


def _prepare(request: ReproduceRequest, plan: Plan, out: Path, talk: Talk) -> Prepared:
    dataset = "iemocap" if plan.corpus == "iemocap" and not plan.is_smoke else None
    options = PrepareOptions(dataset=dataset, protocol=plan.protocol)
    prepared = prepare(request.data, out / "prepared", options, talk.progress)
    manifest = prepared.manifest
    problem = ""
    if not manifest.speaker_independence_checked:
        problem = "the speakers are not known; the paper's protocol needs them"
    elif plan.corpus == "emodb" and manifest.labels != EMOTIONS:
        problem = (
            f"labels {', '.join(manifest.labels)}; --corpus emodb takes {', '.join(EMOTIONS)}: leave the others out"
        )
    if problem:
        shutil.rmtree(out / "prepared")
        out.rmdir()
        raise ManifestError(f"{manifest.root}: {problem}")
    return prepared


def _write_inputs(plan: Plan, out: Path, frames: list[dict[str, Any]]) -> None:
    """Features of every search with padding masked, and the catalogue with the plan's L and h."""
    for search_name, settings in zip(search_names(plan.frames), frames, strict=True):
        space = load_search_space(CATALOGUE).to_settings()
        channels = "weighted_sum" if settings.get("layer") == "all" else "stack"
        space["macro"] |= {"n_layers": plan.n_layers, "hidden": plan.hidden, "channels": channels}
        write_text(out / "frames" / f"catalogue_for_{search_name}.yaml", yaml_text(space))
        _write_features(out / "frames", search_name, settings)
    spectrogram = load_features(load_search_space(plan.space).features).settings()
    _write_features(out / "spectrogram", "search", spectrogram)


def _write_features(folder: Path, search_name: str, settings: dict[str, Any]) -> None:
    write_text(folder / f"features_for_{search_name}.yaml", yaml_text({**settings, "mask_padding": True}))


def _search_request(plan: Plan, out: Path, name: str, place: Path) -> SearchRequest:
    is_frames = name == "frames"
    engine = plan.engine.for_kind("multi-trial" if is_frames else load_strategy(plan.strategy).kind)
    request = SearchRequest(
        data=out / "prepared",
        space=str(out / "frames" / f"catalogue_for_{place.name}.yaml") if is_frames else plan.space,
        strategy="catalogue" if is_frames else plan.strategy,
        features=str(out / name / f"features_for_{place.name}.yaml"),
        epochs=plan.trial_epochs if is_frames else plan.search_epochs,
        trials=plan.trials if is_frames else None,
        nested=True,
        device=plan.device,
        threads=plan.threads,
        out=place,
        engine=engine,
    )
    flags = {
        "--space": request.space, "--strategy": request.strategy, "--features": request.features,
        "--epochs": request.epochs, "--trials": request.trials, "--device": request.device,
        "--threads": request.threads, "--out": place, **engine.flags,
    }  # fmt: skip
    return replace(request, argv=("search", str(request.data), "--nested", *words(flags)))


def _retrain_request(plan: Plan, out: Path, name: str, padding: str, place: Path) -> RetrainRequest:
    epochs = plan.frame_epochs if name == "frames" else (plan.spectrogram_epochs,)
    sources = chosen_searches(out / name, _searches(plan, name))
    is_same_settings = padding != "masked" and len(epochs) > 1
    request = RetrainRequest(
        sources=sources,
        epochs=epochs[0],
        epochs_tried=epochs[:1] if is_same_settings else epochs,
        settings_of=out / name / "masked" if is_same_settings else None,
        padding="masked" if padding == "masked" else "counted",
        seeds=plan.seeds,
        select=plan.select,
        inner_folds=plan.inner_folds if padding == "masked" else 0,
        device=plan.device,
        threads=plan.threads,
        out=place,
    )
    flags = {
        "--epochs": None if is_same_settings else ",".join(map(str, epochs)), "--settings-of": request.settings_of,
        "--padding": request.padding, "--seeds": request.seeds,
        "--select": request.select, "--inner-folds": request.inner_folds, "--device": request.device,
        "--threads": request.threads, "--out": place,
    }  # fmt: skip
    return replace(request, argv=("retrain", *map(str, sources), *words(flags)))
