"""One search: read a space and a strategy, prepare the data, search, leave a genotype with its provenance."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from audionas.audio.folds import find_split, outer_splits, split_folder
from audionas.audio.manifest import Manifest
from audionas.errors import SettingsError
from audionas.experiment.augmented_corpus import augment_record, augmented_copies, recorded_copies, with_copies
from audionas.experiment.corpus import data_record
from audionas.experiment.decision import record_decision
from audionas.experiment.encoder_warning import warn_of_encoder
from audionas.experiment.front_ends import front_end_evaluator, search_corpora
from audionas.experiment.leaks import refuse_leak
from audionas.experiment.limits import limit_check, record_costs, refuse_steering
from audionas.experiment.machine import thread_count, versions
from audionas.experiment.prepare import PrepareOptions, prepare
from audionas.experiment.provenance import provenance
from audionas.experiment.restarts import parts_seed, search_restarts
from audionas.experiment.run_folder import OWN_FIELDS, RUN_FILE, RunFolder, fresh_folder, refuse_occupied
from audionas.experiment.run_start import start_computing
from audionas.experiment.search_checks import check_computing, check_plan
from audionas.experiment.search_divisions import redrawn_parts, trained_rows
from audionas.experiment.search_engine import (
    EngineRequest,
    change_engine,
    engine_fields,
    engine_line,
    engine_options,
    engine_threads,
)
from audionas.experiment.search_front import write_front
from audionas.experiment.search_inputs import KINDS, read_inputs, write_inputs
from audionas.experiment.search_listener import listener
from audionas.experiment.search_plan import divide_search_clips, plan_search
from audionas.experiment.search_winner import winner_line, winner_record, winner_warnings
from audionas.experiment.talk import Silent, Talk
from audionas.experiment.tracked_training import tracked_listener
from audionas.experiment.tracking import checked_trackers, tracked
from audionas.features import extractor_from_settings, load_features
from audionas.models.algorithmic_delay import check_causal_features
from audionas.models.baselines.space_check import check_baseline_space
from audionas.records import read_jsonl
from audionas.search import load_strategy, run_search
from audionas.search.engines import DEFAULT
from audionas.search.front_end_evaluator import front_end_key
from audionas.search.limits import Limits
from audionas.search.retest import Winner
from audionas.search.trials import FILE_NAME
from audionas.spaces import load_search_space
from audionas.spaces.genotype_file import save_genotype
from audionas.training.tasks import task_of


@dataclass(frozen=True)
class SearchRequest:
    """What the user asked for; None and defaults as `audionas search --help` says."""

    data: Path | None = None
    space: str = "darts_cnn_small"
    strategy: str = "darts_small_data"
    features: str | None = None
    seed: int = 0
    epochs: int | None = None
    trials: int | None = None
    batch_size: int | None = None
    exclude_fold: str | None = None
    nested: bool = False
    pick: str = "last"
    device: str = "cpu"
    threads: int | None = None
    out: Path | None = None
    preparation: PrepareOptions = field(default_factory=PrepareOptions)
    argv: tuple[str, ...] = ("search",)
    inner_folds: int | None = None
    retest: int | None = None
    restarts: int = 1
    limits: Limits = field(default_factory=Limits)
    engine: EngineRequest = field(default_factory=EngineRequest)
    trackers: tuple[str, ...] = ()
    precision: str | None = None
    recomputes: bool = False


def search(request: SearchRequest, talk: Talk | None = None) -> Path:
    """Run a search, or one per outer split; returns the run folder, which holds `genotype.json`.

    Raises:
        AudionasError: of its kinds, for anything in the request or the data that cannot be used.
        KeyboardInterrupt: stopped; `resume` goes on.
    """
    talk = talk or Silent()
    space = load_search_space(request.space)
    check_baseline_space(space, f"space {space.name}")
    strategy = load_strategy(request.strategy).with_budget(epochs=request.epochs, trials=request.trials)
    strategy = strategy.with_evaluation(inner_folds=request.inner_folds, retest=request.retest).for_space(space)
    if request.batch_size is not None:
        strategy = strategy.replace(batch_size=request.batch_size)
    if request.pick not in ("last", "best"):
        raise SettingsError(f"--pick: got {request.pick!r}; accepted: last, best")
    if request.nested and request.exclude_fold is not None:
        raise SettingsError("--nested and --exclude-fold exclude each other: --nested leaves out each fold in turn")
    trackers = checked_trackers(request.trackers)
    if request.restarts < 1:
        raise SettingsError(f"--restarts: got {request.restarts}, must be 1 or more")
    refuse_steering(strategy, request.limits, space)
    engine = engine_fields(request.engine, strategy.name, strategy.kind)
    n_threads = engine_threads(engine, request.threads)
    features = load_features(request.features or space.features)
    check_causal_features(space.macro, features, f"space {space.name}")
    check_computing(request, strategy)
    if request.out is not None:
        refuse_occupied(request.out)  # before the work of preparing
    prepared = prepare(request.data, None, request.preparation, talk.progress)
    manifest = prepared.manifest
    task_of(manifest).clip_weights(manifest.targets, strategy.class_weighting)  # refuses what the task has not
    splits = outer_splits(manifest)
    if not request.nested:
        splits = [find_split(manifest, request.exclude_fold) if request.exclude_fold else splits[0]]
    shape = check_plan(space, strategy, manifest, splits, request)
    copies = augmented_copies(strategy.augment, manifest, prepared.features_folder, talk)
    out = request.out or fresh_folder(f"{space.name}-{strategy.name}")
    refuse_occupied(out)
    plan = {
        "space": space.name,
        "strategy": strategy.name,
        "algorithm": strategy.algorithm,
        "seed": request.seed,
        "device": request.device,
        "threads": thread_count(n_threads, shape, space.kind),
        **engine,
        "pick": request.pick,
        "features_asked": features.settings(),
        "features_folder": str(prepared.features_folder.resolve()),
        "data": data_record(manifest),
        "augment": augment_record(copies),
    }
    if request.restarts > 1:
        plan["restarts"] = request.restarts
    if request.precision:
        plan["precision"] = request.precision
    if request.recomputes:
        plan["recompute"] = True
    if trackers:
        plan["trackers"] = list(trackers)
    if request.limits:
        plan["limits"] = request.limits.as_record()
    write_inputs(out, space, strategy, manifest)
    if request.nested:
        names = [split.name for split in splits]
        run = RunFolder.create(out, "nested_search", list(request.argv), splits=names, **plan)
    else:
        run = RunFolder.create(out, "search", list(request.argv), split=splits[0].name, **plan)
    talk.say(f"run folder: {out} (after a stop: audionas search --resume {out})")
    return _work(run, talk)


def resume(path: Path, talk: Talk | None = None, engine: EngineRequest | None = None) -> Path:
    """Go on with a search that was stopped, elsewhere if an engine is given; a finished one is left as it is.

    Raises:
        SettingsError: the engine cannot do this search, or the limits on record are none.
        RunError: nobody is at the engine's address, or the folder is no search, is in use, or was made where this
            machine cannot continue.
    """
    run = RunFolder.open(path, *KINDS)
    if run.record["status"] == "done":
        (talk or Silent()).say(f"{path}: this search is done already")
        return path
    strategy = read_inputs(path)[1]
    Limits.of_record(run.record.get("limits"), str(path / RUN_FILE))
    fields = engine_fields((engine or EngineRequest()).beside(run.record), strategy.name, strategy.kind)
    if engine:
        change_engine(run, fields)
    return _work(run, talk or Silent())


def _work(run: RunFolder, talk: Talk) -> Path:
    start_computing(run, talk)
    _check_same_machine(run, talk)
    with run.working(), tracked(run, talk):
        if run.record["kind"] == "search":
            _search_one(run, talk)
            return run.path
        for name in run.record["splits"]:
            inner = _inner_run(run, name)
            if inner.record["status"] != "done":
                talk.say(f"split {name}: searching without its {_n_test(run, name)} test clips")
                with inner.working():
                    _search_one(inner, talk)
    return run.path


def _check_same_machine(run: RunFolder, talk: Talk) -> None:
    """Other versions than those that a search began with may end in other last digits."""
    before, now = run.record["versions"], versions()
    changed = [f"{name} {before[name]} -> {now[name]}" for name in ("torch", "nni") if before[name] != now[name]]
    if changed:
        talk.warn(f"{', '.join(changed)} since this run began: the result may differ from an uninterrupted one")


def _inner_run(run: RunFolder, name: str) -> RunFolder:
    path = run.path / split_folder(name)
    if (path / "run.json").exists():
        return RunFolder.open(path, "search")
    fields = {key: value for key, value in run.record.items() if key not in OWN_FIELDS}
    write_inputs(path, *read_inputs(run.path))
    return RunFolder.create(path, "search", run.record["argv"], split=name, **fields)


def _n_test(run: RunFolder, name: str) -> int:
    return len(find_split(Manifest.read(run.path), name).test)


def _search_one(run: RunFolder, talk: Talk) -> None:
    """The search of one split, or its restarts."""
    if run.record.get("restarts"):
        search_restarts(run, talk, _search_split)
    else:
        _search_split(run, talk)


def _search_split(run: RunFolder, talk: Talk) -> None:
    space, strategy, manifest = read_inputs(run.path)
    record = run.record
    split = find_split(manifest, record["split"])
    extractor = extractor_from_settings(record["features_asked"], str(run.path / "run.json")).of_split(split.name)
    corpora = search_corpora(space, record, extractor, manifest, split.search, talk)
    parts = divide_search_clips(manifest, split, strategy, parts_seed(record))
    refuse_leak(manifest, split.test, parts)
    warn_of_encoder(run, next(iter(corpora.values())), split.test, talk)
    redrawn = None
    if strategy.kind == "multi-trial" and strategy.retest:
        redrawn = redrawn_parts(manifest, split, strategy, parts_seed(record), parts)
    copies = recorded_copies(record.get("augment"), manifest, Path(record["features_folder"]), talk)
    copied = trained_rows(parts, *([redrawn.parts] if redrawn else []))
    corpora = {key: with_copies(corpus, copies, copied, talk) for key, corpus in corpora.items()}
    evaluator = front_end_evaluator(corpora, parts, strategy.for_space(space), record)
    strategy = plan_search(run, space, strategy, evaluator.data, next(iter(corpora.values())), talk, redrawn)
    limits = limit_check(record, corpora, evaluator.data.n_outputs)
    options = engine_options(record)
    if strategy.kind == "multi-trial" and record["engine"] != DEFAULT:
        talk.say(engine_line(record))
    result = run_search(
        space, strategy, evaluator, record["engine"], seed=record["seed"], run=run.path, pick=record["pick"],
        listener=tracked_listener(listener(strategy, talk, run.warn, options.workers), run.path, strategy),
        options=options, limits=limits,
        redrawn=lambda: front_end_evaluator(corpora, redrawn.parts if redrawn else parts, strategy, record),
    )  # fmt: skip
    if result.winner:
        _tell_winner(run, result.winner, talk)
    read = [row for rows in parts.values() for row in rows]
    corpus = corpora[front_end_key(result.genotype)]
    run.save(features=corpus.settings, feature_key=corpus.key, input_shape=list(corpus.input_shape))
    save_genotype(result.genotype, run.path / "genotype.json", provenance(run, manifest, read, corpus, result))
    if result.winner:
        write_front(
            run, space, strategy, result,
            lambda each: provenance(run, manifest, read, corpora[front_end_key(each.genotype)], each),
        )  # fmt: skip
    run.save(stopped_by=result.stopped_by, genotype_hash=result.genotype.hash)
    if limits:
        record_costs(run, limits, result.genotype, talk)
    if strategy.kind == "one-shot":
        record_decision(run, result.epoch_or_trial)


def _tell_winner(run: RunFolder, winner: Winner, talk: Talk) -> None:
    run.save(winner=winner_record(winner))
    for line in winner_warnings(winner):
        run.warn(line)
        talk.warn(line)
    events = read_jsonl(run.path / FILE_NAME)  # trials of several fidelities are more than the budget says
    talk.say(winner_line(winner, sum(event["event"] == "proposed" for event in events)))


__all__ = ["SearchRequest", "divide_search_clips", "resume", "search"]
