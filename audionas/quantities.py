"""Numbers with their units, for people."""

from __future__ import annotations


def seconds_text(seconds: float | None) -> str:
    """A time that a person can grasp.

    >>> seconds_text(3.21), seconds_text(133), seconds_text(7500)
    ('3.2 s', '2 min 13 s', '2 h 5 min')
    """
    if seconds is None:
        return "not recorded"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def count_text(n: int | None, one: str, many: str = "") -> str:
    """A count with its noun.

    >>> count_text(1, "clip"), count_text(12345, "clip"), count_text(2, "class", "classes")
    ('1 clip', '12,345 clips', '2 classes')
    """
    if n is None:
        return f"an unknown number of {many or one + 's'}"
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def p_text(p: float) -> str:
    """A p value with two digits that say something.

    >>> p_text(0.3127), p_text(0.0001), p_text(2 / 2**16), p_text(1.0)
    ('0.31', '0.0001', '3.1e-05', '1')
    """
    return f"{p:.2g}"


def ms_text(milliseconds: float) -> str:
    """A short time, to three digits.

    >>> ms_text(0.04321), ms_text(4.321), ms_text(1234.5)
    ('0.0432 ms', '4.32 ms', '1,234 ms')
    """
    return f"{milliseconds:,.0f} ms" if milliseconds >= 1000 else f"{milliseconds:.3g} ms"


def amount_text(n: float) -> str:
    """A large count, to three digits.

    >>> amount_text(950.4), amount_text(12_345), amount_text(1_234_567), amount_text(2.5e9)
    ('950', '12.3 thousand', '1.23 million', '2.5 billion')
    """
    for name, size in (("billion", 1e9), ("million", 1e6), ("thousand", 1e3)):
        if n >= size:
            return f"{n / size:.3g} {name}"
    return f"{n:.3g}"


def size_text(size: int) -> str:
    """A count that may be far beyond a float's range."""
    return f"{size:.3g}" if size < 10**300 else f"about 10^{len(str(size)) - 1}"
