"""Frames of transformers' encoders, against the models themselves and against reference outputs."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from audionas.audio.waveform import load_waveform
from audionas.errors import AudioError, SettingsError
from audionas.features import extractor_from_settings, load_features
from audionas.features.pretrained import Pretrained


@pytest.fixture(scope="session")
def wav2vec2(on_disk: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = on_disk.transformer(tmp_path_factory.mktemp("models") / "tiny-wav2vec2")
    return folder


@pytest.fixture(scope="session")
def hubert(on_disk: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = on_disk.transformer(
        tmp_path_factory.mktemp("models") / "tiny-hubert", "Hubert", do_normalize=False, feat_extract_norm="layer",
        do_stable_layer_norm=True,
    )  # fmt: skip
    return folder


def direct(folder: Path, clip: np.ndarray, *, do_normalize: bool) -> Any:
    """transformers' own forward, and its own count of frames."""
    import transformers

    model = transformers.AutoModel.from_pretrained(folder).eval()
    x = (clip - clip.mean()) / np.sqrt(clip.var() + 1e-7) if do_normalize else clip
    with torch.inference_mode():
        output = model(torch.from_numpy(x).unsqueeze(0), output_hidden_states=True)
    return output, int(model._get_feat_extract_output_lengths(torch.tensor(len(clip))))


@pytest.mark.parametrize("name", ["wav2vec2", "hubert"])
def test_frames_are_those_of_the_model_itself(name: str, request: pytest.FixtureRequest, noise: np.ndarray) -> None:
    folder = request.getfixturevalue(name)
    extractor = Pretrained(model=str(folder)).resolve(44_100, [0.5, 1.2, 0.7])
    assert (extractor.rate_hz, extractor.length_samples, extractor.width) == (16_000, 19_200, 16)
    assert (extractor.hop_samples, extractor.field_samples) == (100 - 20, 1 + 9 + 7 * 5 + 3 * 20)
    for n_samples in (105, 184, 185, 8000, 19_200):
        output, n_frames = direct(folder, noise[:n_samples], do_normalize=name == "wav2vec2")
        frames = extractor(noise[:n_samples])
        assert frames.shape == (1, 16, n_frames) == (1, 16, extractor.own_frames(n_samples))
        np.testing.assert_allclose(frames[0].T, output.last_hidden_state[0].numpy(), atol=1e-5)
    assert extractor.input_shape == (1, 16, n_frames)


@pytest.mark.parametrize("name", ["wav2vec2", "hubert"])
def test_layers_their_mean_and_all_of_them(name: str, request: pytest.FixtureRequest, noise: np.ndarray) -> None:
    folder = request.getfixturevalue(name)
    output, n_frames = direct(folder, noise, do_normalize=name == "wav2vec2")
    states = [*output.hidden_states[:-1], output.last_hidden_state]
    stacked = np.stack([state[0].numpy().T for state in states])
    every = Pretrained(model=str(folder), layer="all").resolve(16_000, [1.2])
    assert every.input_shape == (4, 16, n_frames)
    np.testing.assert_allclose(every(noise), stacked, atol=1e-5)
    mean = Pretrained(model=str(folder), layer="mean").resolve(16_000, [1.2])
    np.testing.assert_allclose(mean(noise)[0], stacked.mean(axis=0), atol=1e-5)
    second = Pretrained(model=str(folder), layer=2).resolve(16_000, [1.2])
    np.testing.assert_allclose(second(noise)[0], stacked[2], atol=1e-5)


def test_pooled_frames_are_means_and_the_last_is_that_of_its_real_frames(wav2vec2: Path, noise: np.ndarray) -> None:
    whole = Pretrained(model=str(wav2vec2)).resolve(16_000, [1.2])(noise)[0]
    extractor = Pretrained(model=str(wav2vec2), pool=7).resolve(16_000, [1.2])
    assert whole.shape[1] == 239
    expected = np.stack([whole[:, i : i + 7].mean(axis=1) for i in range(0, 239, 7)], axis=1)
    np.testing.assert_allclose(extractor(noise)[0], expected, atol=1e-5)
    assert extractor.input_shape == (1, 16, 35)
    assert extractor.own_frames(105) == 1


def test_a_longer_clip_keeps_its_frames_or_is_cut_first(wav2vec2: Path, noise: np.ndarray) -> None:
    random = Pretrained(model=str(wav2vec2)).resolve(16_000, [0.5])
    cut = Pretrained(model=str(wav2vec2), crop="end").resolve(16_000, [0.5])
    assert random(noise).shape[2] > random.input_shape[2] == cut.input_shape[2]
    np.testing.assert_array_equal(cut(noise), random(noise[:8000]))
    assert cut.own_frames(19_200) == cut.input_shape[2]


def test_a_clip_shorter_than_one_frame_is_one_line(wav2vec2: Path) -> None:
    extractor = Pretrained(model=str(wav2vec2)).resolve(16_000, [1.0])
    with pytest.raises(AudioError, match="pretrained: got 104 samples at 16000 Hz, one frame needs 105"):
        extractor(np.zeros(104, np.float32))
    with pytest.raises(SettingsError, match=r"length_s: got 0.005, shorter than one frame"):
        Pretrained(model=str(wav2vec2), length_s=0.005).resolve(16_000, [])
    with pytest.raises(SettingsError, match="length_s is auto, and there are no clips"):
        Pretrained(model=str(wav2vec2)).resolve(16_000, [])


def test_resolved_settings_say_all_of_the_encoder(wav2vec2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    once = load_features(f"pretrained:{wav2vec2}").resolve(16_000, [1.2])
    monkeypatch.setattr("audionas.features.pretrained.model_facts", lambda _: pytest.fail("looked at the model"))
    again = extractor_from_settings(once.settings(), "genotype")
    assert again == once == again.resolve(8000, [9.0])
    assert again.is_resolved
    assert again.mask_padding
    assert again.input_shape == once.input_shape
    assert again.key == once.key
    assert not Pretrained(model=str(wav2vec2), sample_rate_hz=16_000, length_s=1.0).is_resolved


def test_an_unresolved_extractor_says_so(noise: np.ndarray) -> None:
    for use in (lambda e: e.input_shape, lambda e: e.n_features, lambda e: e.own_frames(9), lambda e: e(noise)):
        with pytest.raises(SettingsError, match="pretrained: rate or length is still auto; call resolve"):
            use(Pretrained(model="x"))


def test_another_model_of_the_same_name_is_noticed(on_disk: ModuleType, tmp_path: Path, noise: np.ndarray) -> None:
    first = Pretrained(model=str(on_disk.transformer(tmp_path / "m"))).resolve(16_000, [1.0])
    on_disk.transformer(tmp_path / "m", layer_norm_eps=1e-3)
    second = Pretrained(model=str(tmp_path / "m")).resolve(16_000, [1.0])
    assert first.key != second.key
    with pytest.raises(SettingsError, match=r"fingerprint: got .*, .* has .*; give the encoder that these features"):
        first(noise)


def test_the_same_model_elsewhere_has_the_same_key(on_disk: ModuleType, tmp_path: Path) -> None:
    keys = {Pretrained(model=str(on_disk.transformer(tmp_path / n))).resolve(16_000, [1.0]).key for n in "ab"}
    assert len(keys) == 1


def test_splits_whose_longest_clips_differ_share_one_cache(wav2vec2: Path) -> None:
    lengths, keys = zip(*((e.length_s, e.key) for e in (
        Pretrained(model=str(wav2vec2)).resolve(16_000, [longest]) for longest in (1.0, 1.2)
    )), strict=True)  # fmt: skip
    assert lengths == (1.0, 1.2)
    assert len(set(keys)) == 1
    cut = [Pretrained(model=str(wav2vec2), crop="end").resolve(16_000, [longest]).key for longest in (1.0, 1.2)]
    assert len(set(cut)) == 2


def test_a_setting_that_the_model_contradicts_is_refused(wav2vec2: Path) -> None:
    with pytest.raises(SettingsError, match=r"sample_rate_hz: got 8000, .* has 16000"):
        Pretrained(model=str(wav2vec2), sample_rate_hz=8000).resolve(16_000, [1.0])
    with pytest.raises(SettingsError, match=r"layer: got 4, .* has hidden states 0 to 3"):
        Pretrained(model=str(wav2vec2), layer=4).resolve(16_000, [1.0])


def test_values_beyond_float16_are_refused(on_disk: ModuleType, tmp_path: Path, noise: np.ndarray) -> None:
    import transformers

    folder = on_disk.transformer(tmp_path / "loud")
    model = transformers.AutoModel.from_pretrained(folder)
    with torch.no_grad():
        model.encoder.layers[-1].final_layer_norm.weight.mul_(1e6)
    model.save_pretrained(folder)
    with pytest.raises(SettingsError, match=r"gives values up to .*, features hold at most 65504 \(float16\)"):
        Pretrained(model=str(folder)).resolve(16_000, [1.0])(noise)


# Whisper, the real one


@pytest.fixture(scope="session")
def speech(speech_path: Path) -> np.ndarray:
    return load_waveform(speech_path, 16_000)


def whisper(real_encoders: Path, **settings: Any) -> Pretrained:
    return Pretrained(model=str(real_encoders / "whisper-tiny-en-encoder"), **settings).resolve(16_000, [2.0])


@pytest.mark.slow
@pytest.mark.parametrize(("whisper_padding", "name"), [(True, "whisper_pad30"), (False, "whisper_unpadded")])
def test_whisper_equals_its_reference(
    real_encoders: Path, reference: dict[str, np.ndarray], speech: np.ndarray, whisper_padding: bool, name: str
) -> None:
    extractor = whisper(real_encoders, whisper_padding=whisper_padding)
    assert extractor.input_shape == (1, 384, 100)  # 2 s, a frame every 20 ms
    frames = extractor(speech)
    assert frames.shape == (1, 384, 95) == (1, 384, extractor.own_frames(len(speech)))
    np.testing.assert_allclose(frames[0].T, reference[name], atol=1e-3)


@pytest.mark.slow
def test_the_hidden_states_of_whisper_are_one_more_than_its_layers(
    real_encoders: Path, reference: dict[str, np.ndarray], speech: np.ndarray
) -> None:
    extractor = whisper(real_encoders, layer="all", whisper_padding=False)
    frames = extractor(speech)
    assert frames.shape == (5, 384, 95)
    np.testing.assert_allclose(frames[-1].T, reference["whisper_unpadded"], atol=1e-3)
    padded = whisper(real_encoders, layer="all")(speech)
    assert padded.shape == frames.shape
    # what enters the first layer depends on the audio nearby alone, but for the last frame, which sees the padding
    np.testing.assert_allclose(padded[0, :, :-1], frames[0, :, :-1], atol=1e-3)


@pytest.mark.slow
def test_whisper_takes_any_length_in_pieces_of_30_s(real_encoders: Path, speech: np.ndarray) -> None:
    extractor = whisper(real_encoders)
    long = np.resize(speech, 480_000 + len(speech))
    long[480_000:] = speech
    frames = extractor(long)
    assert frames.shape[2] == extractor.own_frames(len(long)) == 1500 + 95
    np.testing.assert_array_equal(frames[:, :, 1500:], extractor(speech))
    for n_samples, n_frames in ((1, 1), (320, 1), (321, 2), (480_000, 1500), (480_001, 1501)):
        assert extractor.own_frames(n_samples) == n_frames
    assert whisper(real_encoders, whisper_padding=False)(speech[:1]).shape == (1, 384, 1)


def test_the_front_ends_size_is_that_of_the_encoder(real_encoders: Path) -> None:
    # README of the files: "8.2 M parameters"; GE2E: 3 LSTM layers, each gate (inputs + hidden) x hidden and 2 biases
    whisper = load_features(f"pretrained:{real_encoders / 'whisper-tiny-en-encoder'}")
    assert round(whisper.front_end_parameters() / 1e6, 1) == 8.2
    ge2e = load_features(f"ge2e:{real_encoders / 'ge2e_resemblyzer_f32.safetensors'}")
    assert ge2e.front_end_parameters() == 4 * 256 * (40 + 256 + 2) + 2 * 4 * 256 * (256 + 256 + 2)
    assert load_features("log_mel").front_end_parameters() == 0
