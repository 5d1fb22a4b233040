"""Batches of cached features: normalised with training clips only, in an order keyed by (seed, epoch).

The order of a stock shuffled loader depends on how many draws came before, so a resumed run would see
other batches. Here every epoch's order, crops and sampling are drawn from (seed, purpose, epoch) alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from audionas.seeding import generator
from audionas.training.clip_copies import CopyTable, FeatureRows
from audionas.training.normaliser import Normaliser
from audionas.training.resident_batches import Batch, Cut, Inputs, RowTables, pinned, resident_batches
from audionas.training.resident_clips import ResidentClips, is_resident_on, one_device, placed_if_it_fits, trimmed_width

Dealt = tuple[Sequence[int], Sequence[int], Sequence[int] | None]
IN_MEMORY_BYTES = 2 * 2**30


class ClipTensors:
    """Normalised features of all clips, cut or padded to `frames`; one tensor in memory while that is small.

    Clips are handed out as (x, lengths): x (rows, channels, features, frames) float32, and lengths (rows,)
    int64, the frames of each that are not padding, or None where padding counts like anything else.

    Args:
        frames: width of the network's input.
        test_windows: `centre` scores one window a clip, `multi` scores half-overlapping ones.
        train_shift: frames from one training window of a clip to the next; None: one, at a random place.
        test_shift: frames from one window of `multi` to the next, in place of half the width or less.
        lengths: (rows,), own frames of each row; with it, padding is 0 after normalisation and told apart.
        copies: which rows after those of the corpus are augmented copies, and of which clips.
    """

    def __init__(
        self,
        features: FeatureRows,
        targets: np.ndarray,
        normaliser: Normaliser,
        frames: int,
        test_windows: str,
        lengths: np.ndarray | None = None,
        copies: CopyTable | None = None,
        *,
        train_shift: int | None = None,
        test_shift: int | None = None,
    ) -> None:
        self._features = features
        self._copies = copies
        self._normaliser = normaliser
        self._frames = frames
        self._test_windows, self._test_shift = test_windows, test_shift
        self._train_shift = train_shift
        self.targets = torch.from_numpy(np.asarray(targets))
        stored = np.array([features[row].shape[2] for row in range(len(features))])
        self._is_masked = lengths is not None
        self._spans = np.minimum(lengths, stored) if lengths is not None else stored
        self._is_fixed = bool((self._spans <= frames).all())
        small = len(features) > 0 and features[0][:, :, 0].nbytes * frames * len(features) <= IN_MEMORY_BYTES
        self._tensor = self._load() if self._is_fixed and small else None
        self._resident: dict[torch.device, ResidentClips | None] = {}

    def __getstate__(self) -> dict[str, object]:
        """Without what lies on devices: another process has its own."""
        return self.__dict__ | {"_resident": {}}

    def resident(self, device: torch.device | str) -> ResidentClips | None:
        """All clips on a device, copied when first asked for; None on the CPU, and where they do not fit."""
        place = one_device(device)
        if place not in self._resident:
            self._resident[place] = self._placed(place) if is_resident_on(place) and len(self._features) else None
        return self._resident[place]

    def crop(self, rows: Sequence[int], rng: np.random.Generator) -> Inputs:
        """The rows; clips longer than the input are cut at a random place."""
        if self._tensor is not None:
            return self._whole(rows)
        return self._cut(rows, self.crop_starts(rows, rng))

    def crop_starts(self, rows: Sequence[int], rng: np.random.Generator) -> np.ndarray:
        """Start frames (rows,) of cuts at random places."""
        return np.asarray(rng.integers(0, np.maximum(self._spans[list(rows)] - self._frames, 0) + 1))

    def near_starts(self, rows: Sequence[int], starts: Sequence[int]) -> np.ndarray:
        """These start frames (rows,), or of a row that is too short for its own that of its last window."""
        return np.asarray(np.minimum(starts, np.maximum(self._spans[list(rows)] - self._frames, 0)))

    def own_lengths(self, rows: Sequence[int], starts: np.ndarray) -> np.ndarray | None:
        """Own frames (rows,) int64 of the rows cut at these frames; None where padding counts like anything else."""
        own = np.minimum(self._spans[list(rows)] - starts, self._frames)
        return own.astype(np.int64) if self._is_masked else None

    def width_of(self, own: np.ndarray | None) -> int:
        """Frames of a batch whose clips have so many own ones, for a network to which the rest means nothing."""
        return self._frames if own is None else trimmed_width(int(own.max()), self._frames)

    def drawn(self, rows: Sequence[int], seed: int, *keys: object) -> list[int]:
        """For training: each row itself or, where it has augmented copies, one of them, drawn by the keys."""
        return self._copies.draw(rows, generator(seed, *keys)) if self._copies else list(rows)

    def training_windows(self, rows: Sequence[int]) -> list[tuple[int, int | None]]:
        """(row, start frame) of each window that an epoch trains on; no start where its place is drawn."""
        if self._train_shift is None:
            return [(row, None) for row in rows]
        return [
            (row, start) for row in rows for start in shifted(int(self._spans[row]) - self._frames, self._train_shift)
        ]

    def near(self, rows: Sequence[int], starts: Sequence[int]) -> Inputs:
        """The rows, cut at these frames; of one that is too short for that (an augmented copy), its last window."""
        return self.at(rows, self.near_starts(rows, starts).tolist())

    def windows(self, row: int) -> list[int]:
        """Start frames of the windows that a test clip is scored by."""
        spare = int(self._spans[row]) - self._frames
        if spare <= 0 or self._test_windows == "centre":
            return [max(spare, 0) // 2]
        if self._test_shift is not None:
            return shifted(spare, self._test_shift)
        n_windows = 1 + -(-spare // max(self._frames // 2, 1))
        return [int(start) for start in np.unique(np.linspace(0, spare, n_windows).astype(int))]

    def at(self, rows: Sequence[int], starts: Sequence[int]) -> Inputs:
        """The rows, each cut at its start frame."""
        if self._tensor is not None:
            return self._whole(rows)
        return self._cut(rows, np.asarray(starts))

    def _whole(self, rows: Sequence[int]) -> Inputs:
        assert self._tensor is not None
        return self._tensor[torch.as_tensor(np.asarray(rows))], self._lengths(rows, np.zeros(len(rows), np.int64))

    def _cut(self, rows: Sequence[int], starts: np.ndarray) -> Inputs:
        blocks = [self._block(row, int(start)) for row, start in zip(rows, starts, strict=True)]
        return torch.from_numpy(np.stack(blocks)), self._lengths(rows, starts)

    def _load(self) -> Tensor:
        return torch.from_numpy(np.stack([self._block(row, 0) for row in range(len(self._features))]))

    def _block(self, row: int, start: int) -> np.ndarray:
        """(channels, features, frames): padded with 0 before normalisation, or after it where padding is masked."""
        block = self._features[row][:, :, start : min(int(self._spans[row]), start + self._frames)]
        padding = ((0, 0), (0, 0), (0, self._frames - block.shape[2]))
        if self._is_masked:
            return np.pad(self._normaliser(block), padding)
        return self._normaliser(np.pad(block, padding))

    def _lengths(self, rows: Sequence[int], starts: np.ndarray) -> Tensor | None:
        own = self.own_lengths(rows, starts)
        return None if own is None else torch.from_numpy(own)

    def _placed(self, device: torch.device) -> ResidentClips | None:
        n_rows, frame = len(self._features), self._features[0][:, :, :1]
        n_frames = self._frames * n_rows if self._is_fixed else int(self._spans.sum())
        return placed_if_it_fits(n_frames * frame.size * 4, device, lambda: self._copied(device, frame))

    def _copied(self, device: torch.device, frame: np.ndarray) -> ResidentClips:
        if self._tensor is not None:
            return ResidentClips(self._tensor.to(device), self._frames)
        if self._is_fixed:
            return ResidentClips.whole(lambda row: self._block(row, 0), len(self._features), device)
        padding = np.zeros_like(frame, dtype=np.float32)
        padding = padding if self._is_masked else self._normaliser(padding)
        return ResidentClips.frame_by_frame(self._own, self._spans, self._frames, padding[:, :, 0], device)

    def _own(self, row: int) -> np.ndarray:
        return self._normaliser(self._features[row][:, :, : int(self._spans[row])])


class EpochBatches:
    """Training batches of some rows; iterating gives the batches of the epoch that `epoch()` names.

    What is dealt are clips or, where the tensors say so, all windows of them; evenly, so that no batch is left with a
    single one (BN needs two). With `sampler` weighting they are drawn with replacement, every class equally likely.

    Args:
        second: second class of each row of the corpus, (rows,) int64; targets are then (batch, 2) for a network with a
            second task.
        device: where the batches are used. They are gathered there if all clips fit (`ClipTensors.resident`).
        trims_padding: the network needs no more frames than the longest clip of a batch has.
    """

    def __init__(
        self,
        tensors: ClipTensors,
        rows: Sequence[int],
        weights: np.ndarray,
        *,
        batch_size: int,
        seed: int,
        purpose: str,
        epoch: Callable[[], int],
        n_batches: int | None = None,
        balanced_sampling: bool = False,
        second: np.ndarray | None = None,
        device: torch.device | str = "cpu",
        trims_padding: bool = False,
    ) -> None:
        self._tensors, self._epoch = tensors, epoch
        row_list = np.asarray(rows).tolist()
        self._weight_of = dict(zip(row_list, np.asarray(weights).tolist(), strict=True))
        self._windows = tensors.training_windows(row_list)
        self._seed, self._purpose = seed, purpose
        self._per_pass = n_batches_of(len(self._windows), batch_size)
        self._n_batches = n_batches if n_batches is not None else self._per_pass
        self._probabilities = self._class_balance() if balanced_sampling else None
        self._second = None if second is None else torch.from_numpy(second)
        self._device, self._trims = one_device(device), trims_padding
        self._placed: RowTables | None = None

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows that are dealt, each as often as it has windows."""
        return tuple(row for row, _ in self._windows)

    def __len__(self) -> int:
        return self._n_batches

    def __iter__(self) -> Iterator[Batch]:
        epoch = self._epoch()
        rng = generator(self._seed, self._purpose, "crops", epoch)
        resident = self._tensors.resident(self._device)
        if resident is not None:
            yield from resident_batches(resident, self._cuts(epoch, rng), self._tables(), self._width)
            return
        for rows, drawn, starts in self._dealt(epoch):
            weights = torch.tensor([self._weight_of[row] for row in rows])
            x, lengths = self._tensors.crop(drawn, rng) if starts is None else self._tensors.near(drawn, starts)
            batch = x, self._targets(torch.tensor(rows)), weights, lengths
            yield batch if self._device.type != "cuda" else pinned(batch)

    def _dealt(self, epoch: int) -> Iterator[Dealt]:
        """Of each batch the rows, what is drawn for them, and the start frames where these are not drawn."""
        for batch, dealt in enumerate(self._orders(epoch)):
            rows, starts = zip(*(self._windows[number] for number in dealt.tolist()), strict=True)
            drawn = self._tensors.drawn(rows, self._seed, self._purpose, "copies", epoch, batch)
            yield rows, drawn, None if starts[0] is None else starts

    def _cuts(self, epoch: int, rng: np.random.Generator) -> list[Cut]:
        """All batches of an epoch, with the cuts that `crop` and `near` would make."""
        tensors, cuts = self._tensors, []
        for rows, drawn, starts in self._dealt(epoch):
            at = tensors.crop_starts(drawn, rng) if starts is None else tensors.near_starts(drawn, starts)
            cuts.append((np.asarray(rows), np.asarray(drawn), at, tensors.own_lengths(drawn, at)))
        return cuts

    def _width(self, own: np.ndarray | None) -> int | None:
        return self._tensors.width_of(own) if self._trims else None

    def _tables(self) -> RowTables:
        """Weights, targets and second classes on the device."""
        if self._placed is None:
            weights = torch.zeros(len(self._tensors.targets))
            weights[list(self._weight_of)] = torch.tensor(list(self._weight_of.values()))
            second = None if self._second is None else self._second.to(self._device)
            self._placed = RowTables(weights.to(self._device), self._tensors.targets.to(self._device), second)
        return self._placed

    def _targets(self, rows: Tensor) -> Tensor:
        own = self._tensors.targets[rows]
        return own if self._second is None else torch.stack([own, self._second[rows]], dim=1)

    def _orders(self, epoch: int) -> Iterator[np.ndarray]:
        left, lap = self._n_batches, 0
        while left > 0:
            rng = generator(self._seed, self._purpose, "order", epoch, lap)
            n = len(self._windows)
            order = rng.choice(n, n, replace=self._probabilities is not None, p=self._probabilities)
            yield from np.array_split(order, self._per_pass)[:left]
            left, lap = left - self._per_pass, lap + 1

    def _class_balance(self) -> np.ndarray:
        targets = self._tensors.targets.numpy()[[row for row, _ in self._windows]]
        counts = np.bincount(targets)
        each = 1.0 / counts[targets]
        return np.asarray(each / each.sum())


def shifted(spare: int, shift: int) -> list[int]:
    """Start frames of windows `shift` apart in a clip that is `spare` frames longer; the last ends where it ends.

    >>> shifted(-5, 3), shifted(6, 3), shifted(7, 3)
    ([0], [0, 3, 6], [0, 3, 6, 7])
    """
    starts = list(range(0, max(spare, 0) + 1, shift))
    return starts if starts[-1] >= spare else [*starts, spare]


def n_batches_of(n_rows: int, batch_size: int) -> int:
    """Batches a pass: as many as needed for at most `batch_size` rows each, never a batch of one row."""
    return max(1, min(-(-n_rows // batch_size), n_rows // 2))


__all__ = ["Batch", "ClipTensors", "EpochBatches", "Inputs", "Normaliser", "n_batches_of", "shifted"]
