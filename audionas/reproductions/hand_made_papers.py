"""The papers of hand-made systems: their variants with the scores that they print, their corpus and protocol.

Scores are the papers', in percent, on IEMOCAP; they stand beside ours and are never ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from audionas.models.baselines import BASELINES
from audionas.spaces.baseline_genotype import Setting


@dataclass(frozen=True)
class Variant:
    """One system of a paper; `wa` and `ua` as the paper prints them, None where it does not.

    `pretraining` is what its weights were taught before: nothing, the corpus without the test speakers of each split,
    or with them, as papers do that pre-train on all of their corpus.
    """

    baseline: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    wa: float | None = None
    ua: float | None = None
    select: Literal["last", "best", "best_on_test"] = "last"
    pretraining: Literal["", "without_test_speakers", "with_test_speakers"] = ""


@dataclass(frozen=True)
class HandMadePaper:
    """A paper whose systems are hand-made.

    `dataset` is the subset of IEMOCAP, `protocol` what tests there; `emodb_protocol` the same for EMO-DB. `scan` is a
    space of one setting whose every point is trained, as a figure of the paper shows it.
    """

    title: str
    citation: str
    dataset: Literal["iemocap", "iemocap_excited", "iemocap_all"]
    protocol: str
    emodb_protocol: str
    variants: Mapping[str, Variant]
    notes: tuple[str, ...] = ()
    scan: str | None = None
    hypercolumns: bool = False


ATTENTION_POOLING = HandMadePaper(
    title="Attention pooling (Li 2018)",
    citation="Li, Song, McLoughlin, Guo, Dai 2018, table 1",
    dataset="iemocap",
    protocol="leave_one_group_out",
    emodb_protocol="leave_one_group_out",
    variants={
        "attention": Variant("attention_pooling_cnn", wa=71.75, ua=68.06),
        "gap": Variant("attention_pooling_cnn", {"pooling": "gap"}, wa=71.35, ua=67.54),
        "bilinear": Variant("attention_pooling_cnn", {"pooling": "bilinear"}, wa=69.17, ua=64.16),
    },
    notes=(
        "the paper's protocol: one speaker tests, nine train, the last epoch is scored, as there is no validation set",
        "figure 2, the scan of filter shapes: filter_shapes.svg and filter_shapes/report.html, scored on inner folds "
        "of the speakers that train the first split",
    ),
    scan="filter_shapes",
)
_FULL: dict[str, Setting] = {}
_NO_ATTENTION: dict[str, Setting] = {"attention": False}
_NO_SECOND: dict[str, Setting] = {"second_weight": 0.0}
CNN_BLSTM = HandMadePaper(
    title="Self-attentional CNN-BLSTM (Li 2019)",
    citation="Li, Zhao, Kawahara 2019, table 2",
    dataset="iemocap_all",
    protocol="folds",
    emodb_protocol="folds",
    variants={
        "full": Variant("cnn_blstm", _FULL, select="best"),
        "without_attention": Variant("cnn_blstm", _NO_ATTENTION, select="best"),
        "without_multitask": Variant("cnn_blstm", _NO_SECOND, select="best"),
        "full_on_test": Variant("cnn_blstm", _FULL, wa=81.6, ua=82.8, select="best_on_test"),
        "without_attention_on_test": Variant("cnn_blstm", _NO_ATTENTION, wa=55.3, ua=51.1, select="best_on_test"),
        "without_multitask_on_test": Variant("cnn_blstm", _NO_SECOND, wa=70.5, ua=72.6, select="best_on_test"),
    },
    notes=(
        "the paper saved its best epoch and names no validation set; the clean variants choose it on a fifth of the "
        "training speakers",
    ),
)

FOP = HandMadePaper(
    title="Future Observation Prediction (Lian 2019)",
    citation="Lian, Tao, Liu, Huang 2019, table 1 and, of five folds, table 3",
    dataset="iemocap_all",
    protocol="folds",
    emodb_protocol="folds",
    variants={
        "no_pretraining": Variant("fop", wa=65.45, select="best"),
        "pretrained": Variant("fop", select="best", pretraining="without_test_speakers"),
        "pretrained_with_test_speakers": Variant("fop", wa=68.14, select="best", pretraining="with_test_speakers"),
    },
    notes=(
        "the paper's two figures are of one split, the first two speakers testing; over five folds its pre-trained "
        "network has 65.03 WA",
        "the paper pre-trains on all of IEMOCAP, test speakers included, and on VCTK (67.37), which is not repeated; "
        "`pretrained` leaves each split's test speakers out, and only it is a clean score",
        "pre-training reads the labelled clips of the subset; the paper's reads the unlabelled ones too",
    ),
    hypercolumns=True,
)

_CITED = {"cnn_lstm": 62.0, "rnn_elm": 63.9, "cnn_gru": 64.2, "ctc_rnn": 66.2, "pcnse_sadrn_ctc": 66.3}
_NOTES = {
    "cnn_lstm": (
        "Li et al. 2018, table 1, gives 59.4 for the network alone and 62.0 for the paper's two-step predictor; this "
        "is the network alone",
    )
}


def _of_emotionnas(name: str, ua: float) -> HandMadePaper:
    """A system that EmotionNAS compares with, under its protocol; the score is the one that EmotionNAS cites."""
    citation = BASELINES[name].paper
    return HandMadePaper(
        title=f"{name} ({citation})",
        citation=f"{citation}; UA as Sun et al. 2022 (EmotionNAS), table 1, cites it",
        dataset="iemocap",
        protocol="speaker_pairs",
        emodb_protocol="folds",
        variants={name: Variant(name, ua=ua)},
        notes=(
            "a re-implementation from the paper's description; its docstring says where that leaves choices open",
            *_NOTES.get(name, ()),
        ),
    )


PAPERS: dict[str, HandMadePaper] = {
    "attention-pooling": ATTENTION_POOLING,
    "cnn-blstm": CNN_BLSTM,
    "fop": FOP,
    **{name.replace("_", "-"): _of_emotionnas(name, ua) for name, ua in _CITED.items()},
}
