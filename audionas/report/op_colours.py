"""One colour a family of operations, and shades of it for the members of a family."""

from __future__ import annotations

from collections.abc import Sequence

# Dark enough for text on white; told apart also with the common kinds of colour blindness.
COLOURS = {
    "separable convolution": "#2166ac",
    "dilated convolution": "#762a83",
    "convolution": "#01665e",
    "pooling": "#c2570c",
    "skip": "#1b7837",
    "gate": "#b2182b",
    "linear": "#2166ac",
    "blend": "#762a83",
    "product": "#c2570c",
    "sum": "#01665e",
    "activation": "#1b7837",
    "none": "#6b6b6b",
    "other": "#8c510a",
}
PREFIXES = (
    ("sep_conv", "separable convolution"),
    ("dil_conv", "dilated convolution"),
    ("max_pool", "pooling"),
    ("avg_pool", "pooling"),
    ("skip", "skip"),
    ("squeeze", "gate"),
    ("glu", "gate"),
    ("linear", "linear"),
    ("blend", "blend"),
    ("elementwise_prod", "product"),
    ("elementwise_sum", "sum"),
    ("activation_", "activation"),
    ("none", "none"),
)
LINES = ("-", "--", ":", "-.")


def family_of(op: str) -> str:
    """The family of an operation, by its name.

    >>> family_of("sep_conv_5x5"), family_of("conv_7x1_1x7"), family_of("my_op")
    ('separable convolution', 'convolution', 'other')
    """
    for prefix, family in PREFIXES:
        if op.startswith(prefix):
            return family
    return "convolution" if "conv" in op else "other"


def colour_of(op: str) -> str:
    """The colour of an operation's family, as #rrggbb."""
    return COLOURS[family_of(op)]


def mixed_with_white(colour: str, share: float) -> str:
    """`colour` (#rrggbb) with a share of white, 0 to 1.

    >>> mixed_with_white("#000000", 0.5)
    '#808080'
    """
    channels = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(channel + (255 - channel) * share):02x}" for channel in channels)


def line_styles(ops: Sequence[str]) -> list[tuple[str, str]]:
    """(colour, dashes) of each operation: the family's colour, paler and dashed for its later members."""
    seen: dict[str, int] = {}
    styles = []
    for op in ops:
        family = family_of(op)
        rank = seen.get(family, 0)
        seen[family] = rank + 1
        styles.append((mixed_with_white(COLOURS[family], min(0.3 * rank, 0.6)), LINES[rank % len(LINES)]))
    return styles
