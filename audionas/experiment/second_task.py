"""The classes of a second task, from the manifest's column.

They are those of the whole column, as the labels of a corpus are those of all its clips. Which clip has which is read
of training clips to train, and of test clips to score, never to choose.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from audionas.audio.manifest import Manifest
from audionas.errors import SettingsError
from audionas.experiment.genotype_sources import Source
from audionas.models.baselines import baseline_settings
from audionas.models.baselines.second_task_settings import SecondTaskSettings
from audionas.quantities import count_text
from audionas.spaces import BaselineGenotype
from audionas.training.second_task import columns_of_clip, second_cells

_ESCAPE = "take another with --set second_column=NAME, or train without a second task: --set second_weight=0"


def with_second_labels(source: Source, manifest: Manifest) -> Source:
    """The source of a system with a second task, with the classes that the manifest has; of any other, as it is.

    Raises:
        SettingsError: the manifest has no such column, it tells no classes apart, or it is not of classes; or the
            corpus is not one of one label a clip.
    """
    genotype = source.genotype
    if not isinstance(genotype, BaselineGenotype):
        return source
    settings = baseline_settings(genotype)
    if not isinstance(settings, SecondTaskSettings) or settings.second_weight == 0:
        return source
    if manifest.task != "classification":
        raise SettingsError(
            f"{manifest.root}: a second task needs a corpus with one class a clip, and this is one of "
            f"{manifest.task}; train without: --set second_weight=0"
        )
    labels = _labels(manifest, settings.second_column)
    named = {**dict(genotype.settings), "second_labels": labels}
    return replace(source, genotype=BaselineGenotype.of(genotype.name, named))


def _labels(manifest: Manifest, column: str) -> tuple[str, ...]:
    counts = Counter(cell for cell in second_cells(manifest, column) if cell)
    n_known, labels = counts.total(), tuple(sorted(counts))
    where = f"{manifest.root}: second task: "
    if not labels:
        raise SettingsError(f"{where}no column {column!r} with values; there are: {_columns(manifest)}; {_ESCAPE}")
    if len(labels) == 1:
        raise SettingsError(f"{where}column {column!r} says {labels[0]!r} of every clip: nothing to learn; {_ESCAPE}")
    if len(labels) > max(2, n_known // 2):
        raise SettingsError(
            f"{where}column {column!r} has {len(labels)} values in {count_text(n_known, 'clip')}: numbers or names, "
            f"not classes; {_ESCAPE}"
        )
    return labels


def _columns(manifest: Manifest) -> str:
    names = dict.fromkeys(name for clip in manifest.clips for name, cell in columns_of_clip(clip).items() if cell)
    return ", ".join(names) or "none"
