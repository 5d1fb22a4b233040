"""The features of a search: one extractor, or of a macro space one for each front-end that a candidate may ask for.

All are computed before the search begins, each once; candidates that differ in SpecAugment only share them. Rate and
length are fitted to the search clips of the split, as for any space.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from audionas.audio.manifest import Manifest
from audionas.errors import GenotypeError, SettingsError
from audionas.experiment.corpus import Corpus, load_corpus
from audionas.experiment.prepare import common_rate
from audionas.experiment.search_divisions import Parts, search_evaluator
from audionas.experiment.talk import Talk
from audionas.features import Extractor, StftExtractor, extractor_from_settings
from audionas.quantities import count_text
from audionas.search import Strategy, TrainingEvaluator
from audionas.search.front_end_evaluator import FrontEndEvaluator
from audionas.spaces import CnnGenotype, CnnMacroSpace, FrontEnd, Genotype, SearchSpace

__all__ = ["candidate_extractors", "check_front_end", "front_end_evaluator", "search_corpora", "with_front_end"]


def with_front_end(base: Extractor, front_end: FrontEnd, where: str) -> Extractor:
    """Features with the settings that a front-end replaces; the key of each is its name in the settings.

    Raises:
        SettingsError: the features have no such setting, or fit their hop to a number of frames.
    """
    changes = front_end.features
    unknown = [key for key in changes if key not in type(base).model_fields]
    if unknown:
        raise SettingsError(
            f"{where}: {', '.join(unknown)}: features {base.kind!r} have no such setting; take log_mel or mfcc, or "
            "leave the option out"
        )
    if "hop_ms" in changes and isinstance(base, StftExtractor) and base.frames:
        raise SettingsError(
            f"{where}: hop_ms: these features have {base.frames} frames whatever the clip and fit the hop to them; "
            "take features without frames, such as log_mel_frames, or leave the option out"
        )
    return extractor_from_settings(base.settings() | changes, where) if changes else base


def candidate_extractors(space: SearchSpace, base: Extractor) -> dict[str, Extractor]:
    """Key of the front-end -> extractor, not resolved; of any other than a macro space the one of key ""."""
    if not isinstance(space, CnnMacroSpace):
        return {"": base}
    where = f"space {space.name}: options"
    return {front_end.key: with_front_end(base, front_end, where) for front_end in space.front_ends()}


def search_corpora(
    space: SearchSpace,
    record: Mapping[str, Any],
    asked: Extractor,
    manifest: Manifest,
    rows: Sequence[int],
    talk: Talk,
) -> dict[str, Corpus]:
    """Key of the front-end -> its features, computed or found in the cache; lengths are fitted to these rows.

    Args:
        record: that of the run; settings that were resolved before are taken from it, but of a macro space.
    """
    durations = [manifest.clips[row].duration_s for row in rows]
    extractors = candidate_extractors(space, asked)
    if len(extractors) > 1:
        talk.say(f"front-ends: {count_text(len(extractors), 'kind')} of features, computed before the first trial")
    corpora = {}
    for key, extractor in extractors.items():
        known = None if isinstance(space, CnnMacroSpace) else record.get("features")
        settings = known or extractor.resolve(common_rate(manifest), durations).settings()
        corpora[key] = load_corpus(manifest, Path(record["features_folder"]), settings, talk)
        if len(extractors) > 1:
            talk.say(
                f"front-end {len(corpora)}/{len(extractors)}: {key} -> {'x'.join(map(str, corpora[key].input_shape))}"
            )
    return corpora


def front_end_evaluator(
    corpora: Mapping[str, Corpus], parts: Parts, strategy: Strategy, record: Mapping[str, Any]
) -> TrainingEvaluator:
    """What trains a candidate on the features that it asks for; see `search_evaluator`."""
    evaluators = {key: search_evaluator(corpus, parts, strategy, record) for key, corpus in corpora.items()}
    first = next(iter(evaluators.values()))
    if list(evaluators) == [""]:
        return first
    common = {each.name: getattr(first, each.name) for each in fields(first)}
    return FrontEndEvaluator(**common, by_front_end=evaluators)


def check_front_end(genotype: Genotype, settings: Mapping[str, Any], where: str) -> None:
    """Refuse feature settings that are not those that the genotype's front-end says.

    Raises:
        GenotypeError: with the first that differs.
    """
    front_end = genotype.front_end if isinstance(genotype, CnnGenotype) else None
    for key, value in (front_end.features if front_end else {}).items():
        if settings.get(key) != value:
            raise GenotypeError(
                f"{where}: front_end says {key} {value:g}, its features have {settings.get(key)}; the file was edited, "
                "name features with --features"
            )
