"""Speech encoders of transformers: what their files say, and the hidden states of one clip.

Two families: Whisper, and those that take raw waveforms through convolutions (wav2vec 2.0, HuBERT, WavLM,
data2vec audio, ...). Nothing of a model's files is run: no remote code, pickled weights by torch's
restricted unpickler only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from audionas.errors import SettingsError
from audionas.features.encoder_files import LOAD_ERRORS, Stamp, fingerprint, stamp
from audionas.features.frame_extractor import Facts
from audionas.features.model_folder import model_folder, weight_files
from audionas.torchaudio_import import import_torchaudio


@dataclass(frozen=True)
class ModelFacts(Facts):
    """`n_states` hidden states; a clip is encoded in chunks of so many samples, or at once (None)."""

    n_states: int
    chunk_samples: int | None


@dataclass(frozen=True, eq=False)
class PretrainedModel:
    """An encoder and its preparation of waveforms."""

    facts: ModelFacts
    encoder: Any
    prepare: Any

    def states(self, clip: np.ndarray, *, is_padded: bool) -> tuple[torch.Tensor, ...]:
        """All hidden states, the last one being the encoder's output: each (frames, width), float32.

        Args:
            clip: (samples,), float32, full scale is +-1.
            is_padded: Whisper alone: pad each chunk to 30 s, as in its training.
        """
        chunk = self.facts.chunk_samples
        if chunk is None:
            return self._waveform_states(clip)
        parts = [clip[i : i + chunk] for i in range(0, len(clip), chunk)]
        states = [self._whisper_states(part, is_padded) for part in parts]
        return tuple(torch.cat(same) for same in zip(*states, strict=True))

    def _waveform_states(self, clip: np.ndarray) -> tuple[torch.Tensor, ...]:
        prepared = self.prepare(clip, sampling_rate=self.facts.sample_rate_hz, return_tensors="pt")
        output = self.encoder(prepared.input_values, output_hidden_states=True)
        return tuple(state[0] for state in (*output.hidden_states[:-1], output.last_hidden_state))

    def _whisper_states(self, clip: np.ndarray, is_padded: bool) -> tuple[torch.Tensor, ...]:
        """Of at most 30 s. A clip is first filled up with zeros to a whole number of frames."""
        hop = self.facts.hop_samples
        n_frames = -(-len(clip) // hop)
        whole = np.pad(clip, (0, n_frames * hop - len(clip)))
        padding = "max_length" if is_padded else False
        mel = self.prepare(whole, sampling_rate=self.facts.sample_rate_hz, padding=padding, return_tensors="pt")
        if is_padded:
            output = self.encoder(mel.input_features, output_hidden_states=True)
            return tuple(state[0, :n_frames] for state in output.hidden_states)
        return self._unpadded(mel.input_features)

    def _unpadded(self, mel: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Whisper's encoder on fewer frames than 30 s, which its own `forward` refuses: (1, bands, frames)."""
        encoder, gelu = self.encoder, torch.nn.functional.gelu
        hidden = gelu(encoder.conv2(gelu(encoder.conv1(mel)))).permute(0, 2, 1)
        hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
        states = [hidden]
        for layer in encoder.layers:
            hidden = layer(hidden, None)
            states.append(hidden)
        return tuple(state[0] for state in (*states[:-1], encoder.layer_norm(hidden)))


def model_facts(model: str) -> ModelFacts:
    """What the files of a model say, without loading its weights.

    Raises:
        SettingsError: transformers is not installed, or the model is missing, damaged or of another kind.
    """
    transformers = _transformers()
    folder = model_folder(model)
    return _facts(transformers, folder, _stamp(folder))


def loaded_model(model: str) -> PretrainedModel:
    """The model in memory; loaded once per process.

    Raises:
        SettingsError: as `model_facts`, or the weights do not fill the encoder.
    """
    transformers = _transformers()
    folder = model_folder(model)
    return _loaded(transformers, folder, _stamp(folder))


def _transformers() -> Any:
    import_torchaudio()  # transformers imports it, and an extension that does not load here must not stop that
    try:
        import transformers
    except ImportError as why:
        raise SettingsError(
            "pretrained: transformers is not installed; run: pip install 'audionas[pretrained]'"
        ) from why
    return transformers


def _stamp(folder: Path) -> Stamp:
    names = [folder / name for name in ("config.json", "preprocessor_config.json")]
    return stamp([*names, *weight_files(folder)])


@contextmanager
def _one_line(folder: Path, transformers: Any) -> Iterator[None]:
    """Any way in which transformers cannot load a folder, in one line; its bars and warnings are left out."""
    messages = transformers.utils.logging
    verbosity, has_bars = messages.get_verbosity(), messages.is_progress_bar_enabled()
    messages.set_verbosity_error()
    messages.disable_progress_bar()
    try:
        yield
    except (*LOAD_ERRORS, ImportError) as why:
        reason = " ".join(str(why).split())[:150]
        raise SettingsError(
            f"{folder}: cannot be loaded as a transformers model ({reason}); download it again, with its "
            "safetensors weights"
        ) from why
    finally:
        messages.set_verbosity(verbosity)
        if has_bars:
            messages.enable_progress_bar()


@lru_cache(maxsize=4)
def _facts(transformers: Any, folder: Path, files: Stamp) -> ModelFacts:
    with _one_line(folder, transformers):
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        if config.model_type != "whisper" and not hasattr(config, "conv_kernel"):
            raise SettingsError(
                f"{folder}: model_type {config.model_type!r} is no speech encoder known to audionas; accepted: "
                "whisper, and encoders of raw waveforms (wav2vec2, hubert, wavlm, data2vec-audio, unispeech, ...)"
            )
        prepare = _prepare(transformers, folder)
        rate = int(prepare.sampling_rate)
        if config.model_type == "whisper":
            hop, n_states = 2 * prepare.hop_length, config.encoder_layers + 1
            return ModelFacts(fingerprint(files), rate, config.d_model, hop, 1, n_states, prepare.n_samples)
        hop, field = _convolutions(config.conv_kernel, config.conv_stride)
        n_states = config.num_hidden_layers + 1
        return ModelFacts(fingerprint(files), rate, config.hidden_size, hop, field, n_states, None)


def _convolutions(kernels: Sequence[int], strides: Sequence[int]) -> tuple[int, int]:
    """Hop and field, in samples, of convolutions one after the other."""
    hop, field = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        field += (kernel - 1) * hop
        hop *= stride
    return hop, field


@lru_cache(maxsize=2)
def _loaded(transformers: Any, folder: Path, files: Stamp) -> PretrainedModel:
    facts = _facts(transformers, folder, files)
    is_safe = any(name.endswith(".safetensors") for name, _, _ in files)
    with _one_line(folder, transformers):
        model, report = transformers.AutoModel.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=is_safe,
            weights_only=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
        encoder = model.get_encoder() if facts.chunk_samples else model
        prepare = _prepare(transformers, folder)
    _refuse_missing(folder, sorted(report["missing_keys"]), "encoder." if facts.chunk_samples else "")
    return PretrainedModel(facts, encoder.eval().requires_grad_(False), prepare)


def _prepare(transformers: Any, folder: Path) -> Any:
    return transformers.AutoFeatureExtractor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _refuse_missing(folder: Path, missing: list[str], part: str) -> None:
    """A weight that is not in the files would be drawn at random; `masked_spec_embed` is for training only."""
    lacking = [name for name in missing if part in name and "masked_spec_embed" not in name]
    if lacking:
        raise SettingsError(
            f"{folder}: its weights lack {len(lacking)} tensors of the encoder ({lacking[0]}, ...); give the "
            "folder of the encoder itself"
        )
