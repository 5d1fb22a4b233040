"""Hand-made systems that a found architecture must beat: one module each, one line in `BASELINES` each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import nn

from audionas.errors import SettingsError, unknown
from audionas.models.baselines.abilities import ClosedForm, OwnLoss, SecondTask, second_task, trims_padding
from audionas.models.baselines.attention_pooling_cnn import ATTENTION_POOLING_CNN
from audionas.models.baselines.baseline import Baseline
from audionas.models.baselines.bigru import BIGRU
from audionas.models.baselines.cnn_blstm import CNN_BLSTM
from audionas.models.baselines.cnn_gru import CNN_GRU
from audionas.models.baselines.cnn_lstm import CNN_LSTM
from audionas.models.baselines.ctc_rnn import CTC_RNN
from audionas.models.baselines.fop import FOP
from audionas.models.baselines.lstm import LSTM
from audionas.models.baselines.pcnse_sadrn_ctc import PCNSE_SADRN_CTC
from audionas.models.baselines.plain_cnn import PLAIN_CNN
from audionas.models.baselines.resnet18_slim import RESNET18_SLIM_8, RESNET18_SLIM_16, RESNET18_SLIM_32
from audionas.models.baselines.rnn_elm import RNN_ELM
from audionas.records import Record, parse_yaml, validate
from audionas.spaces import BaselineGenotype

BASELINES: dict[str, Baseline] = {
    "attention_pooling_cnn": ATTENTION_POOLING_CNN,
    "bigru": BIGRU,
    "cnn_blstm": CNN_BLSTM,
    "fop": FOP,
    "lstm": LSTM,
    "plain_cnn": PLAIN_CNN,
    "resnet18_slim_8": RESNET18_SLIM_8,
    "resnet18_slim_16": RESNET18_SLIM_16,
    "resnet18_slim_32": RESNET18_SLIM_32,
    # EmotionNAS's Table 1.
    "cnn_lstm": CNN_LSTM,
    "rnn_elm": RNN_ELM,
    "cnn_gru": CNN_GRU,
    "ctc_rnn": CTC_RNN,
    "pcnse_sadrn_ctc": PCNSE_SADRN_CTC,
}


def baseline_of(genotype: BaselineGenotype) -> Baseline:
    """The table line of a genotype.

    Raises:
        SettingsError: there is no such system.
    """
    if genotype.name not in BASELINES:
        raise SettingsError(unknown("baseline", genotype.name, BASELINES))
    return BASELINES[genotype.name]


def baseline_settings(genotype: BaselineGenotype) -> Record:
    """The settings of a genotype, those that it does not name as the paper has them.

    Raises:
        SettingsError: the system or a setting is unknown, or a value is not accepted.
    """
    return validate(baseline_of(genotype).settings, dict(genotype.settings), f"baseline {genotype.name}")


def build_baseline(genotype: BaselineGenotype, input_shape: Sequence[int], n_classes: int) -> nn.Module:
    """The network of a hand-made system: (batch, *input_shape) float32 -> logits (batch, n_classes).

    Raises:
        SettingsError: as `baseline_settings`, or the input is not (channels, features, frames).
    """
    if len(input_shape) != 3:
        raise SettingsError(f"input_shape: got {tuple(input_shape)}, must be (channels, features, frames)")
    shape = (input_shape[0], input_shape[1], input_shape[2])
    return baseline_of(genotype).build(baseline_settings(genotype), shape, n_classes)


def named_baseline(name: str, pairs: Mapping[str, str]) -> BaselineGenotype:
    """The genotype of a name and settings as text, read as YAML values: `{"pooling": "gap", "channels": "[8, 16]"}`.

    Raises:
        SettingsError: as `baseline_settings`.
    """
    values = {key: parse_yaml(f"value: {text}", f"{key}={text}")["value"] for key, text in pairs.items()}
    genotype = BaselineGenotype.of(name, values)
    baseline_settings(genotype)
    return genotype


__all__ = [
    "BASELINES", "Baseline", "ClosedForm", "OwnLoss", "SecondTask", "baseline_of", "baseline_settings",
    "build_baseline", "named_baseline", "second_task", "trims_padding",
]  # fmt: skip
