"""The plan of a search, told and recorded before its first step: parts, features, time, memory, warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import yaml

from audionas.audio.folds import OuterSplit, divide_groups, find_split, missing_classes
from audionas.audio.manifest import DEFAULT_PROTOCOL, Manifest
from audionas.errors import ManifestError
from audionas.experiment.corpus import Corpus, data_record, part_record
from audionas.experiment.run_folder import RUN_FILE, RunFolder
from audionas.experiment.search_divisions import Redrawn, inner_fold_parts, untrained_classes
from audionas.experiment.talk import Talk
from audionas.features import extractor_from_settings
from audionas.models.algorithmic_delay import algorithmic_delay
from audionas.quantities import count_text, seconds_text, size_text
from audionas.records import write_text
from audionas.search import SearchData, Strategy
from audionas.search.algorithms import ALGORITHMS, evolution_of, remark_of
from audionas.search.limits import Limits
from audionas.search.retest import n_retests
from audionas.search.rungs import rungs_of, rungs_text
from audionas.spaces import CnnMacroSpace, RecurrentCatalogueSpace, SearchSpace

_GROUPS_SHOWN = 8
NOT_CHECKED = "speaker independence not checked: no speaker or group is known, each file is its own group"


def divide_search_clips(
    manifest: Manifest, split: OuterSplit, strategy: Strategy, seed: int
) -> dict[str, tuple[int, ...]]:
    """The parts of a split's search clips, whole groups each; the split's dev part monitors or validates.

    With `inner_folds` the parts are the inner folds. With `alphas: dev` the alphas learn from the dev part, the
    weights from all other search clips, and nothing monitors, as in EmotionNAS (Sun et al. 2022,
    arXiv:2203.13617, equation 3).

    Raises:
        ManifestError: too few groups for the parts, `alphas: dev` and the split has no dev part, or inner folds and
            it has one.
    """
    if strategy.inner_folds:
        return inner_fold_parts(manifest, split, strategy.inner_folds, seed)
    if strategy.parts.get("alphas") == "dev":
        return _alphas_on_dev(manifest, split)
    one_shot = strategy.kind == "one-shot"
    dev_part = "monitor" if one_shot else "unused" if "unused" in strategy.parts else "validation"
    dev = set(split.dev)
    rows = [row for row in split.search if row not in dev]
    groups = {manifest.clips[row].group for row in rows}
    shares = strategy.shares(len(groups))
    if split.dev:
        shares = {name: share for name, share in shares.items() if name != dev_part}
    parts = divide_groups(manifest, rows, shares, seed, "parts")
    if split.dev:
        parts[dev_part] = split.dev
    return parts


def _alphas_on_dev(manifest: Manifest, split: OuterSplit) -> dict[str, tuple[int, ...]]:
    if not split.dev:
        raise ManifestError(
            f"{manifest.root}: fold {split.name} has no dev part for the strategy's 'alphas: dev' (protocol "
            f"{manifest.protocol!r}); use --protocol speaker_pairs or folds_with_dev"
        )
    dev = set(split.dev)
    return {"weights": tuple(row for row in split.search if row not in dev), "alphas": split.dev}


def plan_search(
    run: RunFolder,
    space: SearchSpace,
    strategy: Strategy,
    data: SearchData,
    corpus: Corpus,
    talk: Talk,
    redrawn: Redrawn | None = None,
) -> Strategy:
    """Resolve what depends on the data, check memory, tell and record the plan before the first step."""
    manifest, record, warnings = data.manifest, run.record, []
    fields: dict[str, Any] = {
        "features": corpus.settings,
        "feature_key": corpus.key,
        "input_shape": list(data.input_shape),
        "parts": {name: part_record(manifest, rows) for name, rows in data.parts.items()},
        "epochs": strategy.budget.epochs,
        "batch_size": strategy.batch_size,
        "notes": [*manifest.notes, *corpus.remarks()],
    }
    for name, rows in data.parts.items():
        missing = missing_classes(manifest, rows)
        if missing:
            warnings.append(f"part {name} holds no clip of {', '.join(missing)}")
    delay = algorithmic_delay(space.macro, extractor_from_settings(corpus.settings, "features"))
    if delay and not isinstance(space, CnnMacroSpace):  # there each candidate has its own
        fields["delay"] = delay.as_record()
        talk.say(f"causal: {delay.text}")
    if not manifest.speaker_independence_checked:
        warnings.append(NOT_CHECKED)
    if corpus.features.n_silent:
        warnings.append(corpus.silence())
    for note in manifest.notes:
        talk.warn(note)
    talk.say(_data_line(manifest, record["split"]))
    settings = corpus.settings
    talk.say(
        f"features: {settings['extractor']} at {corpus.rate_hz} Hz, {corpus.length_s:.2f} s -> "
        f"{'x'.join(map(str, data.input_shape))}; {'; '.join(corpus.remarks())}"
    )
    parts = ", ".join(_part_text(name, part) for name, part in fields["parts"].items())
    talk.say(
        f"search: space {space.name} ({size_text(space.size())} genotypes), strategy {strategy.name}; parts: {parts}"
    )
    limits = Limits.of_record(record.get("limits"), str(run.path / RUN_FILE))
    if limits:
        talk.say(f"limits: {limits}")
    if remark := remark_of(strategy.algorithm, space.kind):
        fields["notes"].append(remark)
        talk.say(remark)
    if strategy.kind == "one-shot":
        strategy, more = _plan_one_shot(space, strategy, data, record, talk, warnings)
        fields |= more
    else:
        fields["trials"], line = planned_trials(space, strategy)
        if len(rungs := rungs_of(strategy)) > 1:
            fields["rungs"] = [asdict(rung) for rung in rungs]
        talk.say(line)
        fields |= _plan_retests(fields["trials"], strategy, data, redrawn, talk, warnings)
    write_text(run.path / "strategy.yaml", yaml_text(strategy.to_settings()))
    run.save(**fields)
    for line in warnings:
        run.warn(line)
        talk.warn(line)
    return strategy


def _plan_one_shot(
    space: SearchSpace,
    strategy: Strategy,
    data: SearchData,
    record: Mapping[str, Any],
    talk: Talk,
    warnings: list[str],
) -> tuple[Strategy, dict[str, Any]]:
    from audionas.search.estimate import check_memory, seconds_per_step
    from audionas.search.one_shot import alpha_reach, has_alphas, steps_per_epoch, with_reach

    device, recomputes = record["device"], record.get("recompute", False)
    strategy = with_reach(strategy, data.dealt)
    reach = alpha_reach(strategy, data.dealt) if has_alphas(strategy) else None
    needed = check_memory(
        space, data.input_shape, data.n_outputs, strategy.batch_size, device, strategy.mixing(),
        recomputes=recomputes,
    )  # fmt: skip
    steps = steps_per_epoch(strategy, data.dealt)
    total = steps * strategy.budget.epochs
    seconds = total * seconds_per_step(
        space, data.input_shape, data.n_outputs, strategy.batch_size,
        mixing=strategy.mixing(), passes=ALGORITHMS[strategy.algorithm].passes,
        recomputes=recomputes,
    )  # fmt: skip
    when = f"about {seconds_text(seconds)}" if device == "cpu" else "time not estimated on a GPU"
    talk.say(
        f"{count_text(strategy.budget.epochs, 'epoch')} of {count_text(steps, 'step')}, batch {strategy.batch_size}: "
        f"{when} and {needed / 2**30:.1f} GiB; {_alphas_text(strategy, reach)}"
    )
    if reach is not None and reach < 1:
        warnings.append(
            f"steps x rate = {reach:.2f} is below 1: Adam can hardly move the alphas, the genotype will be close to "
            + (
                "its random start; take more epochs, the rate is at its limit"
                if strategy.alpha_reach
                else "its random start; use strategy darts_small_data, more epochs, or a larger arc_learning_rate"
            )
        )
    estimate = {"seconds": round(seconds, 1), "memory_mb": round(needed / 2**20)}
    fields: dict[str, Any] = {"steps_per_epoch": steps, "estimate": estimate}
    return strategy, fields if reach is None else fields | {"alpha_reach": reach}


def _alphas_text(strategy: Strategy, reach: float | None) -> str:
    """How far alphas can move, or what comes in their place."""
    if reach is not None:
        return f"alphas can move by steps x rate = {reach:.2f}"
    plan = evolution_of(strategy.algorithm, strategy.settings)
    assert plan is not None
    n = plan.population * plan.generations
    if plan.generations == 1:
        return f"then up to {count_text(n, 'path')} of the controller are scored"
    return f"then an evolution scores up to {count_text(n, 'path')} ({count_text(plan.generations, 'generation')})"


def planned_trials(space: SearchSpace, strategy: Strategy) -> tuple[int, str]:
    """How many trials there will be at most, and the line that says so; a catalogue may hold fewer recipes."""
    n, recipes = strategy.budget.trials, ""
    if isinstance(space, RecurrentCatalogueSpace) and space.size() < n:
        n = space.size()
        recipes = f"{count_text(n, 'distinct recipe')}: "
    line = f"{recipes}{count_text(n, 'trial')} of {count_text(strategy.budget.epochs, 'epoch')}"
    rungs = rungs_of(strategy)
    if len(rungs) > 1:
        line = f"trials of {rungs_text(rungs)}, together worth {line}"
    folds, again = strategy.inner_folds, n_retests(n, strategy.retest)
    if folds:
        line += f", each trained {folds} times (inner folds)"
    if again:
        line += f"; then the best {again}{' of those trained whole' if len(rungs) > 1 else ''} are re-tested"
    return n, f"{line}: {count_text((n + again) * max(folds, 1), 'training')}" if folds or again else line


def _plan_retests(
    n_trials: int, strategy: Strategy, data: SearchData, redrawn: Redrawn | None, talk: Talk, warnings: list[str]
) -> dict[str, Any]:
    """What the record keeps of inner folds and re-tests."""
    fields: dict[str, Any] = {"inner_folds": strategy.inner_folds, "retests": n_retests(n_trials, strategy.retest)}
    divisions = [data.parts] if strategy.inner_folds else []
    if redrawn and fields["retests"]:
        parts = {name: part_record(data.manifest, rows) for name, rows in redrawn.parts.items()}
        fields["retest_division"] = {"how": redrawn.how, "parts": parts}
        talk.say(f"re-test: {redrawn.how}; {', '.join(_part_text(name, part) for name, part in parts.items())}")
        divisions += [redrawn.parts] if strategy.inner_folds else []
    for which, folds in zip(("inner folds", "redrawn inner folds"), divisions, strict=False):
        unseen = untrained_classes(data.manifest, folds)
        if unseen:
            warnings.append(f"{which}: a training does not see {', '.join(unseen)}; take other inner folds, or 0")
    return fields


def _part_text(name: str, part: Mapping[str, int]) -> str:
    return f"{name} {count_text(part['n_clips'], 'clip')}/{count_text(part['n_groups'], 'group')}"


def _data_line(manifest: Manifest, split: str) -> str:
    record = data_record(manifest)
    return (
        f"data: {manifest.root} ({manifest.dataset}), {count_text(record['n_clips'], 'clip')}, "
        f"{_labels_text(manifest)}, "
        f"{count_text(record['n_groups'], 'group')} ({manifest.group_source}); folds: {manifest.fold_source}; "
        f"fold {split} is left out for testing{protocol_text(manifest, split)}"
    )


def _labels_text(manifest: Manifest) -> str:
    """How many classes, labels or targets."""
    nouns = {
        "classification": ("class", "classes"),
        "multilabel": ("label (several a clip)", "labels (several a clip)"),
        "regression": ("target", "targets"),
    }
    return count_text(len(manifest.labels), *nouns[manifest.task])


def protocol_text(manifest: Manifest, split: str) -> str:
    """The protocol where it is not `folds`, and who selects where a split has a dev part; else nothing."""
    dev = sorted({manifest.clips[row].group for row in find_split(manifest, split).dev})
    shown = ", ".join(dev[:_GROUPS_SHOWN]) + (f" and {len(dev) - _GROUPS_SHOWN} more" if dev[_GROUPS_SHOWN:] else "")
    named = f"; protocol {manifest.protocol}" if manifest.protocol != DEFAULT_PROTOCOL else ""
    return named + (f"; the dev part selects: {shown}" if dev else "")


def yaml_text(settings: Mapping[str, Any]) -> str:
    """Settings as YAML, keys in their order."""
    return yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)
