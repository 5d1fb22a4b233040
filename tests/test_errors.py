"""Errors are one line that names what was given, what is accepted, and the nearest name."""

from __future__ import annotations

import inspect

import pytest

from audionas import errors
from audionas.errors import AudionasError, unknown


@pytest.mark.parametrize("given,near", [("sep_cnv_3x3", "sep_conv_3x3"), ("Skip_Connect", "skip_connect")])
def test_an_unknown_name_suggests_the_nearest_known_one(given: str, near: str) -> None:
    line = unknown("operation", given, ["skip_connect", "sep_conv_3x3", "none"])
    assert line == (f"unknown operation {given!r} (did you mean {near!r}?); known: none, sep_conv_3x3, skip_connect")


def test_a_name_near_to_nothing_suggests_nothing() -> None:
    assert unknown("operation", "zzz", ["b", "a"]) == "unknown operation 'zzz'; known: a, b"


def test_a_name_with_a_line_break_stays_on_one_line() -> None:
    assert "\n" not in unknown("key", "a\nb", ["c"])


def test_every_error_of_the_package_is_an_audionas_error() -> None:
    classes = [m for _, m in inspect.getmembers(errors, inspect.isclass) if m.__module__ == errors.__name__]
    assert len(classes) >= 6
    assert all(issubclass(member, AudionasError) for member in classes)
