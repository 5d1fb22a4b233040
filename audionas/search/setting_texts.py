"""What the docstring of an algorithm's `build` says of each setting, for schemas and starting files."""

from __future__ import annotations

import inspect
import re

from audionas.search.algorithms import builder

# Settings of which no docstring of a `build` tells: several algorithms have them, or another function reads them.
SHARED = {
    "arc_learning_rate": "rate of Adam for the alphas",
    "arc_beta1": "first beta of that Adam",
    "arc_beta2": "second beta of that Adam",
    "arc_weight_decay": "of the alphas",
    "gradient_clip": "norm to which the gradient of the weights is cut",
    "collapse_skips": "stop when the normal cell keeps so many skip connections (DARTS+); 0: off",
    "collapse_eigenvalue": "stop when the dominant eigenvalue of 5 epochs ago is below so much of today's; 0: off",
    "zero_one_weight": "of the loss that pushes sigmoids to 0 or 1",
    "single_path": "compute what is drawn alone",
    "first_temperature": "of the Gumbel noise in the first epoch",
    "last_temperature": "of the Gumbel noise in the last epoch",
    "partial": "one channel in so many is mixed",
    "warmup": "first share of the epochs, in which alphas rest",
    "samples": "paths of the trained controller that are scored",
    "population": "paths scored a generation",
    "generations": "of the evolution over the trained supernet",
    "parents": "best paths of which a generation's children are made",
    "mutation": "probability that a child changes a choice",
}


def setting_texts(algorithm: str) -> dict[str, str]:
    """Setting -> its text on one line, as the docstring's `Args:` or `SHARED` has it."""
    text = inspect.getdoc(builder(algorithm)) or ""
    _, _, after = text.partition("Args:\n")
    arguments, _, _ = after.partition("\n\n")
    found = dict(SHARED)
    for entry in re.split(r"\n(?=    \S)", "\n" + arguments):
        name, colon, told = entry.strip().partition(": ")
        if colon:
            found[name] = " ".join(told.split())
    return found
