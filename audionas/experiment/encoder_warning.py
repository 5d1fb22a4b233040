"""Says, before a search begins, that the encoder behind its features has met the speakers that will be tested."""

from __future__ import annotations

from collections.abc import Sequence

from audionas.experiment.corpus import Corpus
from audionas.experiment.encoder_groups import encoder_facts
from audionas.experiment.provenance import groups_seen
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.talk import Talk
from audionas.quantities import count_text


def warn_of_encoder(run: RunFolder, corpus: Corpus, test: Sequence[int], talk: Talk) -> None:
    """Say when the encoder of the features was pre-trained on test groups: no fold of theirs will be called clean."""
    facts = encoder_facts(corpus.settings)
    if facts is None:
        return
    seen = groups_seen(corpus.manifest, test, facts.model_dump(mode="json"))
    if seen:
        line = (
            f"the encoder of these features was pre-trained on clips of {count_text(len(seen), 'test group')} of split "
            f"{run.record['split']}: scores on this fold will be marked as seen; pre-train with --exclude-test-of"
        )
        run.warn(line)
        talk.warn(line)
