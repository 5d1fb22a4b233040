"""Checkpoints that are not wav2vec, or hold code, are refused in one line, and nothing of them runs."""

from __future__ import annotations

import pickle
from argparse import Namespace
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from audionas.errors import SettingsError
from audionas.features.wav2vec_checkpoint import load_wav2vec


class Payload:
    """Creates a file when it is unpickled by an unsafe reader."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.target,)


@pytest.mark.parametrize("place", ["beside", "args", "model", "alone"])
@pytest.mark.parametrize("as_zip", [True, False])
def test_a_checkpoint_with_code_in_it_is_refused_and_nothing_runs(
    on_disk: ModuleType, tmp_path: Path, place: str, as_zip: bool
) -> None:
    payload, weights = Payload(tmp_path / "ran"), on_disk.wav2vec_weights(on_disk.ENCODER, on_disk.AGGREGATOR)
    document: Any = {
        "beside": {"args": Namespace(), "model": weights, "extra_state": payload},
        "args": {"args": Namespace(conv_feature_layers=payload), "model": weights},
        "model": {"args": Namespace(), "model": weights | {"x": payload}},
        "alone": payload,
    }[place]
    path = tmp_path / "evil.pt"
    torch.save(document, path, _use_new_zipfile_serialization=as_zip)
    with pytest.raises(SettingsError, match=r"evil\.pt: refused, nothing of it was run \(.*\); accepted: ") as why:
        load_wav2vec(str(path))
    assert "\n" not in str(why.value)
    assert not (tmp_path / "ran").exists()
    torch.load(path, weights_only=False)  # the payload is a real one
    assert (tmp_path / "ran").exists()


def test_a_bare_pickle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "evil.pt").write_bytes(pickle.dumps(Payload(tmp_path / "ran"), protocol=2))
    with pytest.raises(SettingsError, match=r"evil.pt: refused, nothing of it was run"):
        load_wav2vec(str(tmp_path / "evil.pt"))
    assert not (tmp_path / "ran").exists()


def test_options_are_never_evaluated(on_disk: ModuleType, tmp_path: Path) -> None:
    code = f"[(6, 10, 5)] + [open({str(tmp_path / 'ran')!r}, 'w')]"
    path = on_disk.wav2vec(tmp_path / "a.pt", conv_feature_layers=code)
    with pytest.raises(SettingsError, match=r"conv_feature_layers is .*, expected \[\(width, kernel, stride\), ...\]"):
        load_wav2vec(str(path))
    assert not (tmp_path / "ran").exists()


def test_options_of_either_kind_and_safetensors_are_read(on_disk: ModuleType, tmp_path: Path) -> None:
    old = load_wav2vec(str(on_disk.wav2vec(tmp_path / "old.pt")))
    document = torch.load(tmp_path / "old.pt", weights_only=False)
    torch.save({"cfg": {"model": vars(document["args"])}, "model": document["model"]}, tmp_path / "new.pt")
    new = load_wav2vec(str(tmp_path / "new.pt"))
    assert new.shape == old.shape
    assert new.fingerprint != old.fingerprint
    from audionas.features.wav2vec_network import Wav2vecShape

    usual = Wav2vecShape()
    large = on_disk.wav2vec_weights(list(usual.encoder), list(usual.aggregator))
    save_file(large, tmp_path / "large.safetensors")
    assert load_wav2vec(str(tmp_path / "large.safetensors")).shape == usual


def _wav2vec2(weights: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in weights.items() if "aggregator" not in name}


def _quantized(weights: dict[str, Any]) -> dict[str, Any]:
    return weights | {"vector_quantizer.vars": torch.zeros(1)}


def _one_layer_less(weights: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in weights.items() if "aggregator.conv_layers.2" not in name}


@pytest.mark.parametrize(("change", "words"), [
    (_wav2vec2, r"it has no weights feature_aggregator.conv_layers.\*"),
    (_quantized, "it is a vq-wav2vec"),
    (_one_layer_less, "Missing key"),
    (lambda _: {}, r"it has no weights feature_extractor.conv_layers.\*"),
])  # fmt: skip
def test_other_models_are_refused_and_what_was_expected_is_said(
    on_disk: ModuleType, tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], words: str
) -> None:
    path = on_disk.wav2vec(tmp_path / "a.pt")
    document = torch.load(path, weights_only=False)
    torch.save(document | {"model": change(document["model"])}, path)
    with pytest.raises(SettingsError, match=rf"a\.pt: not a wav2vec 1.0 checkpoint \(.*{words}.*\); expected") as why:
        load_wav2vec(str(path))
    assert "\n" not in str(why.value)


@pytest.mark.parametrize(("options", "words"), [
    ({"aggregator": "gru"}, "its activation or aggregator"),
    ({"activation": "tanh"}, "its activation or aggregator"),
    ({"residual_scale": "x"}, "residual_scale is 'x', expected a number from 0 to 10"),
    ({"conv_aggregator_layers": "[(6, 2, 0)]"}, r"expected \[\(width, kernel, stride\)"),
    ({"conv_aggregator_layers": "[" + "(6, 2, 1), " * 65 + "]"}, r"expected \[\(width, kernel, stride\)"),
])  # fmt: skip
def test_options_that_cannot_be_followed_are_refused(
    on_disk: ModuleType, tmp_path: Path, options: dict[str, str], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        load_wav2vec(str(on_disk.wav2vec(tmp_path / "a.pt", **options)))


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04 torn", b"\x80\x02"])
@pytest.mark.parametrize("name", ["a.pt", "a.safetensors"])
def test_damaged_files_are_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SettingsError, match=rf"{name}: (not a readable|not a torch checkpoint|refused)") as why:
        load_wav2vec(str(tmp_path / name))
    assert "\n" not in str(why.value)


def test_other_values_and_missing_files_are_one_line(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "a.pt")
    with pytest.raises(SettingsError, match=r"not a wav2vec 1.0 checkpoint .it has no entry 'model'."):
        load_wav2vec(str(tmp_path / "a.pt"))
    with pytest.raises(SettingsError, match=r"no such wav2vec checkpoint; download wav2vec_large.pt"):
        load_wav2vec(str(tmp_path / "no.pt"))


def test_noise_is_no_torch_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(bytes(range(1, 200)) * 10)
    with pytest.raises(SettingsError, match=r"a\.pt: not a torch checkpoint; give the file that torch\.save wrote"):
        load_wav2vec(str(tmp_path / "a.pt"))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_plain_pickle_is_refused_with_what_it_holds_and_nothing_of_torchs_text(
    tmp_path: Path, protocol: int, recwarn: pytest.WarningsRecorder
) -> None:
    (tmp_path / "a.pt").write_bytes(pickle.dumps({"model": Fraction(1, 2)}, protocol=protocol))
    with pytest.raises(SettingsError, match=r"nothing of it was run \(it holds fractions\.Fraction\); accepted") as why:
        load_wav2vec(str(tmp_path / "a.pt"))
    assert "Weights only" not in str(why.value)
    assert not recwarn.list


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_of_plain_values_is_no_checkpoint(tmp_path: Path, protocol: int) -> None:
    (tmp_path / "a.pt").write_bytes(pickle.dumps({"a": {1, 2}, "b": [1.5, "x"]}, protocol=protocol))
    with pytest.raises(SettingsError, match=r"a\.pt: ") as why:
        load_wav2vec(str(tmp_path / "a.pt"))
    assert "Weights only" not in str(why.value)
    assert not str(why.value).endswith("...")
