"""What a search reads, and how one candidate is trained and scored."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from torch import nn

from audionas.audio.manifest import Manifest
from audionas.audio.shares import share_of_rows
from audionas.models import build_model, n_parameters
from audionas.models.baselines import trims_padding
from audionas.search.candidate_costs import CandidateCosts
from audionas.search.proxies import compute
from audionas.seeding import derive, seed_torch
from audionas.spaces import Genotype
from audionas.training.batches import ClipTensors, EpochBatches
from audionas.training.fit import FitPlan, NonFiniteLossError, fit
from audionas.training.front_end_recipe import recipe_of
from audionas.training.measures import MEASURES
from audionas.training.predictions import Predictions, joined
from audionas.training.recipe import Recipe
from audionas.training.scoring import predict_clips
from audionas.training.tasks import ClassWeighting, TaskSeam


@dataclass(frozen=True)
class SearchData:
    """Features and the parts that a search may read; rows are indices into the manifest.

    `device` is where batches are used; see `EpochBatches`.
    """

    manifest: Manifest
    tensors: ClipTensors
    parts: Mapping[str, tuple[int, ...]]
    input_shape: tuple[int, int, int]
    task: TaskSeam
    weighting: ClassWeighting = "balanced"
    batch_size: int = 16
    device: str = "cpu"

    @property
    def n_outputs(self) -> int:
        """Width of a network's last layer."""
        return self.task.n_outputs(self.manifest)

    @property
    def dealt(self) -> dict[str, Sequence[object]]:
        """What an epoch of training on each part deals out: its rows or, where features say so, all their windows."""
        return {name: self.tensors.training_windows(rows) for name, rows in self.parts.items()}

    def with_share(self, fraction: float, seed: int) -> SearchData:
        """The same with a share of the clips that train; normalisation stays that of the whole train part."""
        rows = share_of_rows(self.manifest, self.parts["train"], fraction, seed)
        return replace(self, parts={**self.parts, "train": rows})

    def batches(
        self, part: str, *, seed: int, epoch: Any, n_batches: int | None = None, trims_padding: bool = False
    ) -> EpochBatches:
        """Training batches of a part, weighted or sampled as `weighting` says."""
        rows = self.parts[part]
        return EpochBatches(
            self.tensors,
            rows,
            self.task.clip_weights(self.manifest.targets[list(rows)], self.weighting),
            batch_size=self.batch_size,
            seed=seed,
            purpose=part,
            epoch=epoch,
            n_batches=n_batches,
            balanced_sampling=self.weighting == "sampler",
            device=self.device,
            trims_padding=trims_padding,
        )


@dataclass(frozen=True)
class Score:
    """How a candidate did on the validation part; losses are those of the task, cross-entropies in nats.

    `ua` and `wa` are the main and the second score of the task; `names` are their keys in files, UA and WA in a
    classification. `costs` are what the network costs where a strategy asks for it, such as `macs_per_second`.
    """

    ua: float
    wa: float
    loss: float
    balanced_loss: float
    parameters: int
    seconds: float
    epoch: int | None = None
    names: tuple[str, str] = ("ua", "wa")
    costs: Mapping[str, float] = field(default_factory=dict)

    def objective(self, name: str) -> float:
        """The number to maximise: UA (the task's main score) itself, or a loss with its sign turned."""
        return self.ua if name == "ua" else -float(getattr(self, name))

    def as_record(self) -> dict[str, Any]:
        """JSON form."""
        record = asdict(self)
        if not record["costs"]:
            del record["costs"]
        keys = dict(zip(("ua", "wa"), record.pop("names"), strict=True))
        return {keys.get(name, name): value for name, value in record.items()}

    @staticmethod
    def of_record(record: Mapping[str, Any]) -> Score:
        """The score that `as_record` gave."""
        pairs = ((main.key, second.key) for main, second in MEASURES.values())
        main, second = next(pair for pair in pairs if pair[0] in record)
        rest = {name: value for name, value in record.items() if name not in (main, second)}
        return Score(record[main], record[second], **rest, names=(main, second))


class DivergedError(NonFiniteLossError):
    """The training loss of a candidate is far above that of guessing: it is not trained further."""


@dataclass(frozen=True)
class TrainingEvaluator:
    """Trains a candidate from scratch on the train part, scores it on the validation part.

    `score_epoch` is the last epoch, or the best by `objective` of those trained. With `folds`, each normalised with
    its own train part, a candidate is trained once a fold, and the predictions of all validation parts are scored
    together, at one epoch for all folds. `share_seed` draws which clips a fraction of the train part holds: the same
    for every candidate, so that candidates of one fidelity are compared on equal terms. `precision` is a key of
    `PRECISIONS`; None: what is usual for a network on the device, float32 for a supernet. `recomputes` is of supernets.
    """

    data: SearchData
    recipe: Recipe
    device: str = "cpu"
    objective: str = "balanced_loss"
    score_epoch: Literal["last", "best"] = "last"
    stop_diverging: float | None = None
    folds: tuple[SearchData, ...] = ()
    costs: CandidateCosts | None = None
    share_seed: int = 0
    precision: str | None = None
    recomputes: bool = False

    def evaluate(self, genotype: Genotype, *, epochs: int, seed: int, fraction: float = 1.0) -> Score:
        """The score of one candidate, trained on a fraction of the train part and scored on the whole validation part.

        Raises:
            NonFiniteLossError: its loss became NaN or infinite.
            DivergedError: its training loss rose above `stop_diverging` times that of guessing.
        """
        started = time.perf_counter()
        trainings = [(data, derive(seed, "inner fold", k)) for k, data in enumerate(self.folds, start=1)]
        found = []
        for data, its_seed in trainings or [(self.data, seed)]:
            if fraction < 1:
                data = data.with_share(fraction, self.share_seed)
            network, predictions = self._train(genotype, data, epochs, its_seed)
            found.append(predictions)
        scores = [
            self._score(joined([each[epoch] for each in found], "validation"), network, epoch, started)
            for epoch in found[0]
        ]
        best = max(scores, key=lambda score: score.objective(self.objective))
        return replace(best, seconds=scores[-1].seconds, costs=self.costs.of(genotype) if self.costs else {})

    def proxy(self, genotype: Genotype, name: str, *, seed: int) -> float:
        """A zero-cost proxy of one candidate, on the first batch of its train part; more is better.

        The batch is the same for every candidate. With inner folds it is of the first of them.

        Raises:
            SettingsError: the proxy is unknown or has no meaning for this candidate.
        """
        data = self.folds[0] if self.folds else self.data
        batch = next(iter(data.batches("train", seed=self.share_seed, epoch=lambda: 0, n_batches=1)))
        x, targets, weights = (each.to(self.device) for each in batch[:3])
        lengths = None if batch[3] is None else batch[3].to(self.device)
        seed_torch(seed, "proxy", "weights")
        network = build_model(genotype, input_shape=data.input_shape, n_classes=data.n_outputs).to(self.device)
        return compute(name, network, (x, targets, weights, lengths), data.task)

    def data_of(self, genotype: Genotype) -> SearchData:
        """The features that a candidate is trained on; the same for all, but in a macro space."""
        return self.data

    def _train(
        self, genotype: Genotype, data: SearchData, epochs: int, seed: int
    ) -> tuple[nn.Module, dict[int, Predictions]]:
        """The trained network, and its predictions of the validation part after each epoch that may be scored."""
        seed_torch(seed, "trial", "weights")
        network = build_model(genotype, input_shape=data.input_shape, n_classes=data.n_outputs)
        plan = FitPlan(
            data.task, recipe_of(genotype, self.recipe), epochs, seed, "trial", self.device, precision=self.precision
        )
        predictions: dict[int, Predictions] = {}

        def after_epoch(epoch: int, record: dict[str, float]) -> None:
            self._refuse_divergence(epoch, record["train_loss"])
            if self.score_epoch == "best":
                predictions[epoch] = self._predict(network, data)

        trims = trims_padding(network)
        fit(
            network, lambda epoch: data.batches("train", seed=seed, epoch=epoch, trims_padding=trims), plan, after_epoch
        )
        if self.score_epoch == "last":
            network.to(self.device)
            predictions[epochs - 1] = self._predict(network, data)
        return network, predictions

    def _refuse_divergence(self, epoch: int, loss: float) -> None:
        limit = self.stop_diverging and self.stop_diverging * self.data.task.guessing_loss(self.data.n_outputs)
        if limit and loss > limit:
            raise DivergedError(f"epoch {epoch}: the training loss {loss:.3g} is above {limit:.3g}, it diverges")

    def _predict(self, network: nn.Module, data: SearchData) -> Predictions:
        device = next(network.parameters()).device
        network.eval()
        rows = data.parts["validation"]
        found = predict_clips(network, data.tensors, data.manifest, rows, data.task, part="validation", device=device)
        network.train()
        return found

    def _score(self, found: Predictions, network: nn.Module, epoch: int, started: float) -> Score:
        metrics = self.data.task.metrics(found.truth, found.scores, found.labels)
        loss, balanced = self.data.task.losses(found.truth, found.scores)
        if not math.isfinite(loss):
            raise NonFiniteLossError(f"epoch {epoch}: the validation loss is {loss}; lower the learning rate")
        seconds = round(time.perf_counter() - started, 3)
        (main, first), (second, other) = metrics.scores.items()
        return Score(first, other, loss, balanced, n_parameters(network), seconds, epoch, (main, second))
