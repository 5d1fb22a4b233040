"""`Controller`: a recurrent network that draws samples of a space, choice after choice, and is trained by REINFORCE.

Source: Pham et al. 2018 (ENAS), sections 2.1, 2.3 and 3 and its release: an LSTM of 100 units, weights uniform in
[-0.1, 0.1], logits of temperature 5 within a tanh of 2.5. Difference: every choice of a space has an output layer and
embeddings of its own, as spaces here differ in what they ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path

import torch
from torch import Tensor, nn

from audionas.errors import RunError
from audionas.training.checkpoint import FILE_NAME, load_checkpoint

HIDDEN = 100
INITIAL = 0.1
TEMPERATURE = 5.0
TANH = 2.5
_PREFIX = "controller."  # where NNI's Lightning module holds it


@dataclass(frozen=True)
class Drawn:
    """A sample (label -> option), the logarithm of its probability and the sum of its choices' entropies, in nats."""

    sample: dict[str, str]
    log_probability: Tensor
    entropy: float


class Controller(nn.Module):
    """Draws an option for every choice; choices with one option are not asked for.

    `baseline` is the moving average of the rewards, NaN before the first.
    """

    baseline: Tensor

    def __init__(self, choices: Mapping[str, Sequence[str]], seed: int) -> None:
        super().__init__()
        self._choices = {label: tuple(options) for label, options in choices.items()}
        self._asked = [label for label, options in self._choices.items() if len(options) > 1]
        self.start = nn.Parameter(torch.empty(1, HIDDEN))
        self.cell = nn.LSTMCell(HIDDEN, HIDDEN)
        self.outputs = nn.ModuleList(nn.Linear(HIDDEN, len(self._choices[label])) for label in self._asked)
        self.embeddings = nn.ModuleList(nn.Embedding(len(self._choices[label]), HIDDEN) for label in self._asked)
        self.register_buffer("baseline", torch.tensor(torch.nan))
        draws = torch.Generator().manual_seed(seed)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -INITIAL, INITIAL, generator=draws)

    def forward(self, seed: int) -> Drawn:
        """A sample drawn by the probabilities; one seed gives one sample."""
        draws = torch.Generator().manual_seed(seed)
        return self._decide(lambda logits: torch.multinomial(logits.softmax(-1), 1, generator=draws))

    @torch.no_grad()
    def drawn(self, seed: int) -> dict[str, str]:
        """The sample of a draw alone."""
        return self(seed).sample  # type: ignore[no-any-return]

    @torch.no_grad()
    def likeliest(self) -> dict[str, str]:
        """The sample that takes the likeliest option of each choice in turn."""
        return self._decide(lambda logits: logits.argmax(-1, keepdim=True)).sample

    def reinforce(self, drawn: Sequence[Drawn], rewards: Sequence[float], decay: float) -> Tensor:
        """The loss whose gradient makes draws above the moving average of the rewards likelier, and others less so."""
        above = self.advantage(rewards, decay)
        terms = [gain * each.log_probability for gain, each in zip(above, drawn, strict=True)]
        return -torch.stack(terms).mean()

    def advantage(self, rewards: Sequence[float], decay: float) -> list[float]:
        """How much each reward is above the moving average, which has taken in their mean."""
        mean = sum(rewards) / len(rewards)
        before = float(self.baseline)
        self.baseline.fill_(mean if isnan(before) else decay * before + (1 - decay) * mean)
        return [reward - float(self.baseline) for reward in rewards]

    def _decide(self, take: Callable[[Tensor], Tensor]) -> Drawn:
        """Go through the choices; `take` turns logits (options,) on the CPU into the index of one, (1,)."""
        sample = {label: options[0] for label, options in self._choices.items()}
        x, state = self.start, None
        log_probability, entropy = self.start.new_zeros(()), 0.0
        for label, output, embedding in zip(self._asked, self.outputs, self.embeddings, strict=True):
            state = self.cell(x, state)
            logits = TANH * torch.tanh(output(state[0])[0] / TEMPERATURE)
            index = take(logits.detach().cpu()).to(logits.device)
            log_probabilities = logits.log_softmax(-1)
            log_probability = log_probability + log_probabilities[index[0]]
            entropy -= float((log_probabilities.exp() * log_probabilities).detach().sum())
            sample[label] = self._choices[label][int(index)]
            x = embedding(index)
        return Drawn(sample, log_probability, entropy)


def load_controller(run: Path, choices: Mapping[str, Sequence[str]]) -> Controller:
    """The controller at the last epoch of an ENAS search, from the checkpoint in its run folder.

    Raises:
        RunError: the checkpoint is missing, damaged, or of another space.
    """
    path = run / "checkpoint" / FILE_NAME
    state = load_checkpoint(path)
    if state is None:
        raise RunError(f"{path}: missing, so the controller is not known; search again")
    controller = Controller(choices, 0)
    own = {key.removeprefix(_PREFIX): value for key, value in state["module"].items() if key.startswith(_PREFIX)}
    try:
        controller.load_state_dict(own)
    except RuntimeError as why:
        raise RunError(f"{path}: holds another controller than one of this run's space; search again") from why
    return controller
