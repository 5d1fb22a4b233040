"""The audio that an encoder of our own was pre-trained on: whatever is found on its frames has read it too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audionas.features.fop import weights_file
from audionas.features.fop_weights import FopFacts, read_fop_facts


def encoder_facts(settings: Mapping[str, Any]) -> FopFacts | None:
    """What the encoder behind feature settings says of itself; None where it was not pre-trained here.

    Raises:
        SettingsError: its weights cannot be read.
    """
    if settings.get("extractor") != "fop":
        return None
    return read_fop_facts(weights_file(str(settings["checkpoint"])))


def with_encoder_groups(groups: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Records of groups that were read, with those of the encoder behind the features, each once.

    Raises:
        SettingsError: the encoder's weights cannot be read.
    """
    facts = encoder_facts(settings)
    own = [dict(record) for record in groups]
    return own + [record for record in (facts.groups_read if facts else ()) if record not in own]
