"""Errors that a user can cause. Each is one line: where, what was given, what is accepted, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AudionasError(Exception):
    """A mistake that the user can mend; the command line prints it as one line and exits with 1."""


class AudioError(AudionasError):
    """An audio file is missing, empty, damaged or holds values that are not finite."""


class ManifestError(AudionasError):
    """The clips, labels, groups or folds of a data set contradict each other or the request."""


class SettingsError(AudionasError):
    """A YAML file, a flag or a name is not one of those accepted; `problems` are its single mistakes."""

    def __init__(self, message: str, problems: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems) or (message,)


class GenotypeError(AudionasError):
    """A genotype file is malformed, hostile, or of another space or shape than asked for."""


class RunError(AudionasError):
    """A run folder is missing, damaged, in use, or was made by other settings."""


class LogError(RunError):
    """A line of a log is damaged; the `n_sound` lines before it can be read."""

    def __init__(self, message: str, n_sound: int) -> None:
        super().__init__(message)
        self.n_sound = n_sound


def unknown(what: str, given: str, known: Iterable[str]) -> str:
    """One line for a name that is not in a table, with the nearest known name.

    >>> unknown("operation", "sep_conv_9x9", ["sep_conv_3x3", "none"])
    "unknown operation 'sep_conv_9x9' (did you mean 'sep_conv_3x3'?); known: none, sep_conv_3x3"
    """
    names = sorted(known)
    near = difflib.get_close_matches(str(given), names, n=1, cutoff=0.5)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"unknown {what} {given!r}{hint}; known: {', '.join(names)}"
