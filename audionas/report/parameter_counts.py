"""How many weights a network has, those of the pooling told apart: read where a training noted it, else counted."""

from __future__ import annotations

from audionas.audio.folds import split_folder
from audionas.errors import AudionasError
from audionas.report.run_files import JsonObject, RunFiles
from audionas.spaces import RecurrentGenotype

Parts = dict[str, int]
NAMES = {
    "recurrent": "recurrent layers",
    "classifier": "fully connected layers",
    "attention": "attention pooling",
    "layer_sum": "sum of encoder layers",
}


def parameter_parts(files: RunFiles, split: str, genotype: RecurrentGenotype, run: JsonObject) -> Parts:
    """Weights by part (`recurrent`, `attention`, `classifier`, `layer_sum`) and `total`; empty where not known.

    Args:
        split: the outer split that the genotype belongs to, empty if it is of all.
        run: record of the run that used the genotype; its input shape and labels give the size if nothing else does.
    """
    noted = files.retraining.parameter_parts if files.retraining else {}
    own = noted.get(split_folder(split)) if split else next(iter(noted.values()), None)
    metrics = (files.retraining.metrics if files.retraining else None) or {}
    return own or metrics.get("parameter_parts") or _counted(genotype, run)


def parts_text(parts: Parts) -> str:
    """The total, and what of it is where.

    >>> parts_text({"recurrent": 300, "attention": 66, "classifier": 34, "layer_sum": 0, "total": 400})
    '400, of these 66 in the attention pooling; 334 without it (recurrent layers 300, fully connected layers 34)'
    """
    if not parts.get("total"):
        return "not known yet"
    total, attention = parts["total"], parts.get("attention", 0)
    rest = [f"{NAMES[key]} {parts[key]:,}" for key in NAMES if key != "attention" and parts.get(key)]
    inner = f" ({', '.join(rest)})" if rest else ""
    if not attention:
        return f"{total:,}{inner}; none in the pooling"
    return f"{total:,}, of these {attention:,} in the attention pooling; {total - attention:,} without it{inner}"


def _counted(genotype: RecurrentGenotype, run: JsonObject) -> Parts:
    """Weights of the network that the genotype becomes, built without memory."""
    shape, labels = run.get("input_shape"), (run.get("data") or {}).get("labels")
    if not shape or not labels:
        return {}
    import torch

    from audionas import models

    try:
        with torch.device("meta"):
            return models.parameter_parts(models.build_model(genotype, input_shape=shape, n_classes=len(labels)))
    except AudionasError:  # such as a shape that this genotype does not take: the page does without
        return {}
