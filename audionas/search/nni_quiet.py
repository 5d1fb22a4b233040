"""Imports NNI without its banner of warnings and keeps its logger to errors."""

from __future__ import annotations

import importlib
import logging
import warnings

from audionas.search import extra_rl


def import_nni() -> None:
    """Import NNI's NAS parts once; torch 2.13 makes it warn about two classes it does not know.

    NNI would import the extra `rl` too where it is installed, for nothing.
    """
    with warnings.catch_warnings(), extra_rl.hidden():
        warnings.simplefilter("ignore")
        for name in (
            "nni",
            "nni.nas.strategy",
            "nni.nas.evaluator.pytorch",
            "nni.nas.space",
            "nni.nas.execution",
        ):
            importlib.import_module(name)
    for name in ("nni", "nni.nas", "nni.mutable"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
