"""Samples as NNI gives them: label of a decision -> the option that was taken, all text, as one JSON object.

They are what NNI's strategies propose and freeze a model space to, and what `trials.jsonl` keeps of each trial. A
sample alone is no genotype: it is one within the space that its labels are of.
"""

from __future__ import annotations

from typing import Any

from audionas.errors import GenotypeError, unknown
from audionas.spaces import Genotype, SearchSpace

SHOWN = 80  # characters of a text
MOST = 4  # names or faults of one kind in an error


def to_nni_sample(genotype: Genotype, space: SearchSpace) -> dict[str, str]:
    """The sample of a space whose genotype this is, up to isomorphism.

    Raises:
        GenotypeError: the space does not contain it.
    """
    return dict(space.sample(genotype))  # type: ignore[arg-type]


def from_nni_sample(document: Any, space: SearchSpace, where: str = "sample") -> Genotype:
    """The genotype of a sample.

    Raises:
        GenotypeError: with its faults: no JSON object of texts, a label that the space has not or that is missing, or
            an option that is none of the label's.
    """
    if not isinstance(document, dict):
        raise GenotypeError(
            f"{where}: not a sample: expected an object of label: option, got {type(document).__name__}"
        )
    faults = sample_faults(document, space)
    if faults:
        raise GenotypeError(f"{where}: not a sample of space {space.name!r}: {'; '.join(faults)}")
    return space.genotype(document)


def sample_faults(document: dict[str, Any], space: SearchSpace) -> list[str]:
    """What is wrong with a sample; of labels that are not the space's, and of options, the first few."""
    choices = space.choices()
    strange = [str(label) for label in document if label not in choices]
    faults = [unknown("decision", _short(strange[0]), choices)] if len(strange) == 1 else []
    if len(strange) > 1:
        faults = [f"it has no decisions {_first(strange)}; it has {_first(list(choices))}"]
    missing = [label for label in choices if label not in document]
    if missing:
        faults.append(f"no option for {_first(missing)}")
    options = [
        f"{label}: got {_short(option)!r}; accepted: {', '.join(choices[label])}"
        for label, option in document.items()
        if label in choices and option not in choices[label]
    ]
    more = [f"{len(options) - MOST} more options are wrong"] if len(options) > MOST else []
    return [*faults, *options[:MOST], *more]


def _first(names: list[str]) -> str:
    shown = ", ".join(_short(name) for name in names[:MOST])
    return shown if len(names) <= MOST else f"{shown} and {len(names) - MOST} more"


def is_sample_document(value: Any) -> bool:
    """Whether a JSON document looks like a sample: an object of texts alone.

    >>> is_sample_document({"normal_n0_in": "0+1"}), is_sample_document({"kind": "cnn_cell", "cells": {}})
    (True, False)
    """
    return isinstance(value, dict) and bool(value) and all(isinstance(option, str) for option in value.values())


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
