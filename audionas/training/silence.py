"""Lightning and torch kept silent where they say what no user can act on."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_NOISE = (
    ".*does not have many workers.*",
    ".*LeafSpec.*",
    ".*isinstance.treespec.*",
    ".*not a nn.Module.*",
    ".*nni.trace.*",
    ".*lr_scheduler.step.*",
    ".*GPU available but not used.*",
    ".*not part of single contiguous chunk.*",
)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence, by message, what Lightning and torch 2.13 say on every start and no user can act on."""
    names = (
        "pytorch_lightning",
        "lightning.pytorch",
        "lightning.fabric",
        "pytorch_lightning.utilities.rank_zero",
    )
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        for message in _NOISE:
            warnings.filterwarnings("ignore", message=message)
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
