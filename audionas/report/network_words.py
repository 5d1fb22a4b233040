"""A plain-language paragraph about the network of a genotype, of any kind; every sentence holds for that network."""

from __future__ import annotations

from dataclasses import dataclass

from audionas.features import Extractor
from audionas.models.algorithmic_delay import algorithmic_delay
from audionas.models.baselines import baseline_of, baseline_settings
from audionas.models.meter import Meter, Place
from audionas.models.receptive_field import MapField, receptive_fields
from audionas.models.recurrent_context import NOTHING, frames_back
from audionas.quantities import amount_text, count_text
from audionas.report.cnn_words import cnn_sentences
from audionas.report.op_words import in_a_row
from audionas.report.quantities import plain
from audionas.report.recurrent_words import recurrent_sentences
from audionas.spaces import BaselineGenotype, CnnGenotype, Genotype


@dataclass(frozen=True)
class Described:
    """A paragraph, and of a CNN the receptive field of each of its maps."""

    paragraph: str
    fields: tuple[MapField, ...] = ()


def describe(genotype: Genotype, place: Place | None = None) -> Described:
    """What a genotype's network is.

    Args:
        place: its features and number of outputs; without it there are no milliseconds, hertz and costs.

    Raises:
        SettingsError: a hand-made system is unknown, or its settings are not accepted, or do not fit the features.
    """
    extractor = place.extractor if place else None
    fields: tuple[MapField, ...] = ()
    if isinstance(genotype, BaselineGenotype):
        sentences = _hand_made(genotype)
    elif isinstance(genotype, CnnGenotype):
        fields = receptive_fields(genotype, place.input_shape[1:] if place else None)
        sentences = cnn_sentences(genotype, fields, extractor)
    else:
        sentences = recurrent_sentences(genotype, extractor)
    if place:
        sentences.append(_costs(genotype, place))
    return Described(" ".join([*sentences, *_causal(genotype, extractor)]), fields)


def _hand_made(genotype: BaselineGenotype) -> list[str]:
    line = baseline_of(genotype)
    baseline_settings(genotype)
    source = f"after {line.paper}" if line.paper else "of no paper"
    sentences = [f"A hand-made system, {genotype.name}, {source}: {line.summary}."]
    own = {key: value for key, value in genotype.settings if key != "second_labels"}  # those come from the corpus
    if own:
        values = in_a_row([f"{key.replace('_', ' ')} {plain(_listed(value))}" for key, value in own.items()])
        sentences.append(f"Set for it: {values}, in place of what that describes.")
    return sentences


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _costs(genotype: Genotype, place: Place) -> str:
    meter = Meter(place)
    return (
        f"{meter.parameters(genotype):,} parameters for {count_text(place.n_outputs, 'output')}; "
        f"{amount_text(meter.macs_per_second(genotype))} MACs per second of audio."
    )


def _causal(genotype: Genotype, extractor: Extractor | None) -> list[str]:
    """Whether it can run while the sound comes in; of hand-made systems nothing is known here."""
    if isinstance(genotype, BaselineGenotype):
        return []
    if genotype.macro.causal:
        delay = algorithmic_delay(genotype.macro, extractor) if extractor else None
        text = f"; {delay.text}" if delay else ""
        return [f"It is causal: nothing before the pooling reads a later frame{text}."]
    if isinstance(genotype, CnnGenotype):
        return ["It is not causal: its convolutions read later frames too."]
    if not genotype.macro.bidirectional:
        return ["It runs forwards only: nothing before the pooling reads a later frame."]
    if frames_back(genotype) in (0, NOTHING):
        return []
    return ["It is not causal: its backward direction reads later frames."]
