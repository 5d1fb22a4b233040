"""`audionas compare`: every strategy under the same folds, retraining rule, learning rates and budget.

Every step is an ordinary run in a folder of its own, so that a stopped comparison goes on where it was:

    OUT/prepared   OUT/budget.json   OUT/tables.json   OUT/tables.md
    OUT/<arm>/strategy.yaml   OUT/<arm>/search_<n>   OUT/<arm>/retrained_<n>
    OUT/<hand-made network>/retrained_0
    OUT/random_architectures/drawn_<k>/split_<name>/genotype.json   OUT/random_architectures/retrained_<k>
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from audionas.audio.folds import outer_splits, split_folder
from audionas.audio.manifest import Manifest
from audionas.augmentations import load_augmentation
from audionas.comparisons.budget import affordable_trials, one_shot_passes
from audionas.comparisons.plan import (
    RANDOM_ARCHITECTURES,
    CompareRequest,
    Plan,
    arm_strategy,
    check_baselines,
    make_plan,
)
from audionas.comparisons.random_architectures import draw_architectures, size_of
from audionas.comparisons.tables import write_tables
from audionas.errors import ManifestError
from audionas.experiment.corpus import data_record
from audionas.experiment.genotype_sources import baseline_source, read_source
from audionas.experiment.prepare import prepare
from audionas.experiment.retrain import RetrainRequest, resume_retraining, retrain
from audionas.experiment.run_folder import RUN_FILE, RunFolder, fresh_folder, refuse_occupied
from audionas.experiment.run_step import run_step, words
from audionas.experiment.search import SearchRequest, resume, search
from audionas.experiment.search_plan import divide_search_clips, yaml_text
from audionas.experiment.second_task import with_second_labels
from audionas.experiment.talk import Silent, Talk
from audionas.experiment.tuning import check_groups, checked_grid
from audionas.experiment.workers import run_side_by_side
from audionas.features import load_features
from audionas.models.baselines import named_baseline
from audionas.quantities import count_text
from audionas.records import validate, write_json, write_text
from audionas.search import load_strategy
from audionas.spaces import SearchSpace, load_search_space
from audionas.spaces.genotype_file import save_genotype
from audionas.training.devices import gpu_index
from audionas.training.tasks import task_of

KIND = "compare"
BUDGET_FILE = "budget.json"


def compare(request: CompareRequest, talk: Talk | None = None) -> Path:
    """Search, retrain and score every arm; returns the run folder, which holds `tables.json` and `tables.md`.

    Raises:
        AudionasError: of its kinds, for anything in the request or the data that cannot be used.
        KeyboardInterrupt: stopped; `resume_comparison` goes on.
    """
    talk = talk or Silent()
    space = load_search_space(request.space)
    plan = make_plan(request, space)
    gpu_index(request.device)
    load_features(request.features or space.features)
    if request.augment:
        load_augmentation(request.augment)
    rates = request.learning_rates or (1.0,)
    grid = checked_grid(rates, request.epochs, "last")
    out = request.out or fresh_folder(f"compare-{space.name}")
    if not _is_only_prepared(out):
        refuse_occupied(out)
    prepared = prepare(request.data, out / "prepared", request.preparation, talk.progress)
    manifest = prepared.manifest
    task_of(manifest)
    check_baselines(plan, manifest.task)
    for name in plan.networks:  # a second task needs a column of the corpus
        with_second_labels(baseline_source(named_baseline(name, {})), manifest)
    _check_budget(plan, manifest, space)
    if grid:
        check_groups(grid, manifest)
    for name in plan.arms:
        _write_strategy(plan, out, name)
    run = RunFolder.create(out, KIND, list(request.argv), plan=plan.model_dump(mode="json"), data=data_record(manifest))
    talk.say(f"run folder: {out} (after a stop: audionas compare --resume {out})")
    return _work(run, talk)


def resume_comparison(path: Path, talk: Talk | None = None) -> Path:
    """Go on with a comparison that was stopped; finished steps are not repeated."""
    run = RunFolder.open(path, KIND)
    if run.record["status"] == "done":
        (talk or Silent()).say(f"{path}: this comparison is done already")
        return path
    return _work(run, talk or Silent())


def search_arm(out: Path, name: str, talk: Talk) -> None:
    """The nested searches of one arm."""
    plan = _plan(out)
    for number in range(plan.searches):
        talk.say(f"{name}: nested search {number + 1} of {plan.searches}")
        run_step(
            out / name / f"search_{number}",
            lambda place, number=number: search(_search_request(plan, out, name, number, place), talk),  # type: ignore[misc]
            resume,
            talk,
        )


def retrain_arm(out: Path, name: str, talk: Talk) -> None:
    """The retrainings of one arm: one a search, one of a hand-made network, or one a random architecture."""
    plan = _plan(out)
    if name in plan.networks:
        talk.say(f"{name}: training, without any search")
        run_step(
            out / name / "retrained_0",
            lambda place: retrain(_network_request(plan, out, name, place), talk),
            resume_retraining,
            talk,
        )
        return
    sources = _sources(plan, out, name)
    for number, paths in enumerate(sources):
        talk.say(f"{name}: retraining {number + 1} of {len(sources)}")
        run_step(
            out / name / f"retrained_{number}",
            lambda place, paths=paths: retrain(_retrain_request(plan, out, paths, place), talk),  # type: ignore[misc]
            resume_retraining,
            talk,
        )


def _work(run: RunFolder, talk: Talk) -> Path:
    plan, out = _plan(run.path), run.path
    with run.working():
        if plan.reference:
            search_arm(out, plan.reference, talk)
            _fix_budget(plan, out, talk)
        _each(out, search_arm, [name for name in plan.arms if name != plan.reference], plan, talk)
        _draw_architectures(run, plan, talk)
        _each(out, retrain_arm, plan.names, plan, talk)
        write_tables(run, plan)
    return out


def _check_budget(plan: Plan, manifest: Manifest, space: SearchSpace) -> None:
    """Refuse, before the first search, parts that cannot be made and a budget that buys no trial."""
    strategies = {name: arm_strategy(plan, name, space) for name in plan.arms}
    divisions = {
        name: [divide_search_clips(manifest, split, strategy, 0) for split in outer_splits(manifest)]
        for name, strategy in strategies.items()
    }
    if plan.reference is None:
        return
    total = sum(one_shot_passes(strategies[plan.reference], parts) for parts in divisions[plan.reference])
    for name, strategy in strategies.items():
        if strategy.kind != "one-shot":
            affordable_trials(strategy, total, divisions[name])


def _each(out: Path, work: object, names: list[str], plan: Plan, talk: Talk) -> None:
    """Do the work of every arm, one after the other or several at a time."""
    step = search_arm if work is search_arm else retrain_arm
    if plan.workers > 1 and len(names) > 1:
        run_side_by_side(step, out, names, plan.workers)
        return
    for name in names:
        step(out, name, talk)


def _plan(out: Path) -> Plan:
    return validate(Plan, RunFolder.open(out, KIND).record["plan"], str(out / RUN_FILE))


def _is_only_prepared(out: Path) -> bool:
    """Whether a folder holds nothing but what a stop before the first step leaves."""
    return out.is_dir() and not (out / RUN_FILE).exists() and (out / "prepared").is_dir()


def _write_strategy(plan: Plan, out: Path, name: str, trials: int | None = None) -> None:
    strategy = arm_strategy(plan, name, load_search_space(plan.space))
    if trials is not None:
        strategy = strategy.with_budget(epochs=None, trials=trials)
    write_text(out / name / "strategy.yaml", yaml_text(strategy.to_settings()))


def _fix_budget(plan: Plan, out: Path, talk: Talk) -> None:
    """Trials of the multi-trial arms, from what the reference's search has cost; written once."""
    assert plan.reference is not None
    if (out / BUDGET_FILE).exists():
        return
    manifest, space = Manifest.read(out / "prepared"), load_search_space(plan.space)
    passes = RunFolder.open(out / plan.reference / "search_0").record["cost"]["clip_passes"]
    total, trials = passes["forward"] + passes["backward"], {}
    for name in plan.arms:
        strategy = arm_strategy(plan, name, space)
        if strategy.kind == "one-shot":
            continue
        divisions = [divide_search_clips(manifest, split, strategy, 0) for split in outer_splits(manifest)]
        trials[name] = affordable_trials(strategy, total, divisions)
        _write_strategy(plan, out, name, trials[name])
        talk.say(f"{name}: {count_text(trials[name], 'trial')} a split for the clip-passes of {plan.reference}")
    write_json(out / BUDGET_FILE, {
        "schema_version": 1,
        "what": "clip-passes, forward and backward, of the reference's searches of all splits; re-tests count",
        "reference": plan.reference,
        "clip_passes": total,
        "trials_a_split": trials,
    })  # fmt: skip


def _draw_architectures(run: RunFolder, plan: Plan, talk: Talk) -> None:
    """Random genotypes for each split, as large as the one that the first arm found there."""
    out, space = run.path, load_search_space(plan.space)
    manifest = Manifest.read(out / "prepared")
    n_classes = task_of(manifest).n_outputs(manifest)
    reference = plan.reference or next(iter(plan.arms))
    for split in outer_splits(manifest):
        places = [
            out / RANDOM_ARCHITECTURES / f"drawn_{k}" / split_folder(split.name) / "genotype.json"
            for k in range(plan.architectures)
        ]
        if all(place.exists() for place in places):
            continue
        source = read_source(out / reference / "search_0" / split_folder(split.name) / "genotype.json")
        shape = source.provenance["input_shape"]
        drawn = draw_architectures(space, source.genotype, plan.architectures, shape, n_classes, split.name)
        if len(drawn.genotypes) < plan.architectures:
            raise ManifestError(
                f"split {split.name}: only {len(drawn.genotypes)} genotypes of space {space.name!r} are about as large "
                f"as the searched one; --architectures {len(drawn.genotypes)} or less needs a larger space"
            )
        if drawn.tolerance > 0.1:
            size = size_of(source.genotype, shape, n_classes)
            line = (
                f"split {split.name}: too few genotypes within 10 % of {size} parameters; those drawn are within "
                f"{drawn.tolerance:.0%}"
            )
            run.warn(line)
            talk.warn(line)
        for place, genotype in zip(places, drawn.genotypes, strict=True):
            save_genotype(genotype, place, {**source.provenance, "strategy": RANDOM_ARCHITECTURES, "algorithm": "none"})


def _sources(plan: Plan, out: Path, name: str) -> list[tuple[Path, ...]]:
    """What each retraining of an arm is made from."""
    if name != RANDOM_ARCHITECTURES:
        return [(out / name / f"search_{number}",) for number in range(plan.searches)]
    splits = [split.name for split in outer_splits(Manifest.read(out / "prepared"))]
    return [
        tuple(out / name / f"drawn_{k}" / split_folder(split) / "genotype.json" for split in splits)
        for k in range(plan.architectures)
    ]


def _search_request(plan: Plan, out: Path, name: str, number: int, place: Path) -> SearchRequest:
    engine = plan.engine.for_kind(load_strategy(out / name / "strategy.yaml").kind)
    request = SearchRequest(
        data=out / "prepared",
        space=plan.space,
        strategy=str(out / name / "strategy.yaml"),
        features=plan.features,
        seed=number,
        nested=True,
        device=plan.device,
        threads=plan.threads,
        out=place,
        engine=engine,
    )
    flags = {
        "--space": request.space, "--strategy": request.strategy, "--features": request.features,
        "--seed": request.seed, "--device": request.device, "--threads": request.threads, "--out": place,
        **engine.flags,
    }  # fmt: skip
    return replace(request, argv=("search", str(request.data), "--nested", *words(flags)))


def _network_request(plan: Plan, out: Path, name: str, place: Path) -> RetrainRequest:
    """The retraining of a hand-made network: its own features, unless all arms were given some."""
    request = replace(_retrain_request(plan, out, (), place), baseline=named_baseline(name, {}), features=plan.features)
    more = {"--baseline": name, "--features": plan.features}
    return replace(request, argv=(*request.argv, *words(more)))


def _retrain_request(plan: Plan, out: Path, sources: tuple[Path, ...], place: Path) -> RetrainRequest:
    is_run = bool(sources) and (sources[0] / RUN_FILE).exists()
    request = RetrainRequest(
        sources=sources,
        data=None if is_run else out / "prepared",
        epochs=plan.epochs[0],
        epochs_tried=plan.epochs,
        learning_rates=plan.learning_rates,
        recipe={"learning_rate": plan.learning_rates[0]} if plan.learning_rates else {},
        augment=plan.augment,
        seeds=plan.seeds,
        device=plan.device,
        threads=plan.threads,
        out=place,
    )
    flags = {
        "--data": request.data, "--epochs": ",".join(map(str, plan.epochs)),
        "--learning-rate": ",".join(f"{rate:g}" for rate in plan.learning_rates) or None, "--seeds": plan.seeds,
        "--augment": plan.augment,
        "--device": plan.device, "--threads": plan.threads, "--out": place,
    }  # fmt: skip
    return replace(request, argv=("retrain", *map(str, sources), *words(flags)))
