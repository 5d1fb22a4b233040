"""Whether a network can be built of every sample of a space of settings."""

from __future__ import annotations

from itertools import islice, product

from audionas.errors import SettingsError
from audionas.models.baselines import baseline_settings
from audionas.spaces import BaselineSpace, SearchSpace

MOST_CHECKED = 10_000


def check_baseline_space(space: SearchSpace, where: str) -> None:
    """Refuse settings and options that their system does not accept; other kinds of space pass.

    Every sample is looked at, in a space of more than 10,000 the first so many.

    Raises:
        SettingsError: the system is unknown, or a setting or an option is not accepted (all are listed).
    """
    if not isinstance(space, BaselineSpace):
        return
    faults: dict[str, None] = {}
    choices = space.choices()
    for options in islice(product(*choices.values()), MOST_CHECKED):
        try:
            baseline_settings(space.genotype(dict(zip(choices, options, strict=True))))
        except SettingsError as why:
            faults |= dict.fromkeys(why.problems or [str(why)])
    if faults:
        raise SettingsError(f"{where}: {'; '.join(faults)}", list(faults))
