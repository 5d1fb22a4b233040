"""`audionas export RUN --to maps --clip FILE`: what a retrained network with attention maps sees in a clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from audionas.audio.manifest import Manifest
from audionas.audio.waveform import load_waveform, sha256_of
from audionas.errors import AudionasError, RunError, SettingsError
from audionas.exchange.clip_windows import OneClip
from audionas.experiment.evaluated_networks import EvaluatedNetwork, finished_retraining, networks_of
from audionas.experiment.trained_network import WEIGHTS_FILE, TrainedNetwork, load_network
from audionas.features import Extractor, extractor_from_settings
from audionas.features.spectrogram import Spectrogram
from audionas.models.baselines.attention_pooling_cnn import AttentionPoolingCnn
from audionas.records import write_atomically
from audionas.report.attention_pictures import AttentionPicture, draw_attention
from audionas.report.svg import NO_METADATA, drawing
from audionas.training.batches import ClipTensors

PICTURES = (".png", ".svg")


def export_maps(run: Path, clip: Path | None, out: Path | None) -> Path:
    """Draw the attention maps of one audio file into a .png or .svg file; returns its path.

    The network is the final model, else of the first split that did not train on this file, seed 0.

    Raises:
        SettingsError: no clip or no picture's name is given.
        RunError: there is no finished retraining with weights, or its network has no attention maps.
        AudioError: the clip cannot be read.
    """
    if clip is None or out is None or out.suffix not in PICTURES:
        given = "" if out is None else f", got {out}"
        raise SettingsError(f"--to maps: needs --clip AUDIO_FILE and --out FILE.png or FILE.svg{given}")
    if out.is_dir():
        raise AudionasError(f"{out}: is a folder; name a file")
    figure = draw_attention(picture_of(run, clip))

    def save(part: Path) -> None:
        with drawing():
            figure.savefig(part, format=out.suffix[1:], dpi=144, metadata=NO_METADATA if out.suffix == ".svg" else None)

    write_atomically(out, save)
    return out


def picture_of(run: Path, clip: Path) -> AttentionPicture:
    """The maps of a clip, averaged where its windows overlap."""
    retraining = finished_retraining(run)
    manifest = Manifest.read(retraining.path)
    network, heard = _choose(networks_of(retraining), manifest, clip)
    extractor = extractor_from_settings(network.features, str(network.folder))
    loaded = load_network(network.folder, network.source.genotype, manifest, extractor.input_shape)
    if not isinstance(loaded.network, AttentionPoolingCnn) or not loaded.network.has_attention_maps:
        raise RunError(f"{retraining.path}: its network has no attention maps; attention_pooling_cnn has them")
    waveform = load_waveform(clip, extractor.rate_hz)
    duration_s = len(waveform) / extractor.rate_hz
    block, maps, scores = _maps(loaded, loaded.network, extractor, waveform)
    n_own = block.shape[2]
    if heard:
        heard_text = "this clip was among its training clips"
    else:
        heard_text = "it was not trained on this clip"
    top, unit = _axis(extractor)
    return AttentionPicture(
        f"{clip.name}, network {network.name}: {heard_text}",
        block[0],
        maps[0, :, :n_own],
        dict(zip(manifest.labels, maps[1:, :, :n_own], strict=True)),
        dict(zip(manifest.labels, scores.tolist(), strict=True)),
        duration_s,
        top,
        unit,
    )


def _choose(networks: list[EvaluatedNetwork], manifest: Manifest, clip: Path) -> tuple[EvaluatedNetwork, bool]:
    """The first network with weights, if possible one that did not hear the clip; and whether it did."""
    content = sha256_of(clip)
    found = []
    for network in networks:
        if (network.folder / WEIGHTS_FILE).is_file():
            found.append((network, any(manifest.clips[row].sha256 == content for row in network.seen)))
    if not found:
        raise RunError(f"{networks[0].folder.parent}: no training has weights; retrain")
    return min(found, key=lambda each: each[1])


def _maps(
    loaded: TrainedNetwork, network: AttentionPoolingCnn, extractor: Extractor, waveform: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(channels, features, own frames); the agnostic map and each class's, (1 + classes, features, frames); scores."""
    block = extractor(waveform)
    own = extractor.own_frames(len(waveform))
    lengths = np.array([own]) if extractor.mask_padding else None
    tensors = ClipTensors(
        OneClip(block), np.zeros(1, int), loaded.normaliser, extractor.input_shape[2], "multi", lengths,
        test_shift=extractor.test_shift,
    )  # fmt: skip
    starts = tensors.windows(0)
    x, own_frames = tensors.at([0] * len(starts), starts)
    maps = network.attention_maps(x, own_frames)
    with torch.no_grad():
        scores = loaded.task.scores(network(x, own_frames)).double().numpy().mean(axis=0)
    whole = torch.cat([maps.class_agnostic[:, None], maps.class_specific], dim=1).numpy()
    stitched = _stitched(whole, starts, x.shape[2], x.shape[3], max(block.shape[2], x.shape[3]))
    return block[:, :, :own], stitched, scores


def _stitched(maps: np.ndarray, starts: list[int], n_features: int, width: int, n_frames: int) -> np.ndarray:
    """Maps of windows (windows, maps, rows, columns), spread over their input's frames, averaged where they overlap."""
    rows = np.arange(n_features) * maps.shape[2] // n_features
    columns = np.arange(width) * maps.shape[3] // width
    total, count = np.zeros((maps.shape[1], n_features, n_frames)), np.zeros(n_frames)
    for window, start in zip(maps, starts, strict=True):
        total[:, :, start : start + width] += window[:, rows][:, :, columns]
        count[start : start + width] += 1
    return np.asarray(total / np.maximum(count, 1))


def _axis(extractor: Extractor) -> tuple[float, str]:
    """Upper end and unit of the features axis."""
    if isinstance(extractor, Spectrogram):
        return extractor.n_features * extractor.rate_hz / extractor.fft_samples / 1000, "frequency, kHz"
    return float(extractor.n_features), "feature"
