"""Finds a transformers model: a local folder, the hub's cache, or the hub itself, within seconds or with one line."""

from __future__ import annotations

import json
import re
from pathlib import Path

from audionas.errors import SettingsError

HUB_TIMEOUT_S = 10.0
_SETTINGS = ("config.json", "preprocessor_config.json")
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")


def model_folder(model: str) -> Path:
    """The folder that holds a model given by folder or hub name; downloaded if need be.

    Raises:
        SettingsError: there is no such folder, or the hub cannot be reached or has no such model.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return path
    if not _HUB_NAME.fullmatch(model):
        raise SettingsError(
            f"pretrained: model: got {model!r}, no such folder; give a folder with {', '.join(_SETTINGS)} and "
            "model.safetensors, or a hub name such as facebook/hubert-base-ls960"
        )
    return _cached(model) or _downloaded(model)


def weight_files(folder: Path) -> list[Path]:
    """The files of the weights: safetensors if there are any, else what `torch.save` wrote.

    Raises:
        SettingsError: there are none, or the index of their parts is damaged.
    """
    found = next((folder / name for name in _WEIGHTS if (folder / name).is_file()), None)
    if found is None:
        raise SettingsError(f"{folder}: holds no weights; expected one of {', '.join(_WEIGHTS)}")
    if found.suffix != ".json":
        return [found]
    try:
        parts = {Path(part).name for part in json.loads(found.read_text(encoding="utf-8"))["weight_map"].values()}
        return [found, *(folder / part for part in sorted(parts))]
    except (ValueError, KeyError, TypeError, AttributeError) as why:
        raise SettingsError(f"{found}: not an index of weights; download the model again") from why


def _cached(name: str) -> Path | None:
    """The folder in the hub's own cache, if it is whole."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(name, local_files_only=True))
    except (OSError, ValueError):
        return None
    is_whole = (folder / _SETTINGS[0]).is_file() and any((folder / weights).is_file() for weights in _WEIGHTS)
    return folder if is_whole else None


def _downloaded(name: str) -> Path:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        info = HfApi().model_info(name, timeout=HUB_TIMEOUT_S)
        wanted = _wanted([file.rfilename for file in info.siblings or []])
        return Path(snapshot_download(name, allow_patterns=wanted, etag_timeout=HUB_TIMEOUT_S))
    # Its bases: the error class of whichever HTTP library this version of the hub uses.
    except (*HfHubHTTPError.__bases__, OSError, ValueError) as why:
        reason = " ".join(str(why).split())[:120]
        raise SettingsError(
            f"pretrained: model {name!r}: no such folder, not in the hub's cache, and the hub gave no files "
            f"({reason}); where there is a network run `hf download {name} --local-dir FOLDER`, copy FOLDER "
            "here and give its path as model"
        ) from why


def _wanted(files: list[str]) -> list[str]:
    """The settings and one format of weights, safetensors if the hub has it."""
    safe = [file for file in files if re.fullmatch(r"model.*\.safetensors(\.index\.json)?", file)]
    return [
        *_SETTINGS,
        *(safe or [file for file in files if re.fullmatch(r"pytorch_model.*\.bin(\.index\.json)?", file)]),
    ]
