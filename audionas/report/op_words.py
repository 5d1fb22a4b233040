"""Operations counted in words: '3 separable 3x3 convolutions, 1 skip connection'."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

_NOUNS = (
    ("sep_conv_", "separable {} convolution"),
    ("dil_conv_", "dilated {} convolution"),
    ("conv_", "{} convolution"),
    ("max_pool_", "{} maximum pool"),
    ("avg_pool_", "{} average pool"),
    ("glu_", "gated {} convolution"),
    ("squeeze_excitation", "squeeze-excitation gate"),
    ("skip_connect", "skip connection"),
    ("linear", "linear node"),
    ("blend", "blend"),
    ("elementwise_prod", "product"),
    ("elementwise_sum", "sum"),
    ("activation_tanh", "tanh"),
    ("activation_sigm", "sigmoid"),
    ("activation_leaky_relu", "leaky ReLU"),
)
_NUMBERS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
_FAMILIES = {"pooling": "pools", "skip": "skip connections", "gate": "gated operations", "other": "other operations"}


def op_noun(op: str) -> str:
    """What one operation is called.

    >>> op_noun("sep_conv_5x5"), op_noun("skip_connect"), op_noun("my_op")
    ('separable 5x5 convolution', 'skip connection', 'my_op')
    """
    for prefix, noun in _NOUNS:
        if op.startswith(prefix):
            return noun.format(op.removeprefix(prefix))
    return op


def counted_ops(ops: Iterable[str]) -> str:
    """How often each operation occurs, the most frequent first, of equals by name.

    >>> counted_ops(["skip_connect", "sep_conv_3x3", "sep_conv_3x3"])
    'two separable 3x3 convolutions and one skip connection'
    """
    counts = sorted(Counter(map(op_noun, ops)).items(), key=lambda pair: (-pair[1], pair[0]))
    return in_a_row([in_words(count, noun) for noun, count in counts])


def in_words(count: int, noun: str) -> str:
    """A count with its noun, the number spelt out up to twelve, so that it does not run into a kernel's.

    >>> in_words(1, "1x9 convolution"), in_words(3, "sum"), in_words(20, "tanh")
    ('one 1x9 convolution', 'three sums', '20 tanh')
    """
    number = _NUMBERS[count - 1] if 0 < count <= len(_NUMBERS) else str(count)
    return f"{number} {noun}{'' if count == 1 or noun == 'tanh' else 's'}"


def family_noun(family: str) -> str:
    """A family of operations in the plural.

    >>> family_noun("separable convolution"), family_noun("pooling")
    ('separable convolutions', 'pools')
    """
    return _FAMILIES.get(family, f"{family}s")


def in_a_row(words: Sequence[str]) -> str:
    """A list as one reads it out.

    >>> in_a_row(["a"]), in_a_row(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def ordinal(number: int) -> str:
    """Position from 1 on.

    >>> ordinal(1), ordinal(12), ordinal(22), ordinal(103)
    ('1st', '12th', '22nd', '103rd')
    """
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
