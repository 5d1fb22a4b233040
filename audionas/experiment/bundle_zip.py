"""A bundle as a zip: written so that equal content gives equal bytes, and read as if a stranger had made it."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path, PurePosixPath

from audionas.errors import RunError
from audionas.records import write_bytes

SUFFIXES = (".json", ".jsonl", ".yaml", ".csv", ".md", ".safetensors")
MAX_FILES = 100_000
MAX_BYTES = 4 * 2**30  # of all files unpacked
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    """Write files (name in the zip, content) sorted by name, with a fixed time and mode."""
    text = BytesIO()
    with zipfile.ZipFile(text, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, files[name])
    write_bytes(path, text.getvalue())


def unpack(path: Path, folder: Path) -> None:
    """Unpack a bundle into an empty folder.

    Raises:
        RunError: it is no zip, damaged, encrypted, too large, or holds a name that leaves the folder, stands twice, is
            a link or is of a kind that no bundle holds.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [info for info in archive.infolist() if not info.is_dir()]
            _check(path, entries)
            for info in entries:
                target = folder / info.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(info) as stream:  # gives as many bytes as were declared at most, and checks the CRC
                    target.write_bytes(stream.read())
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as why:
        raise RunError(f"{path}: not a readable zip ({why}); make the bundle again") from why
    except OSError as why:
        raise RunError(f"{path}: cannot unpack ({why.strerror or why})") from why


def _check(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_FILES:
        raise RunError(f"{path}: {len(entries)} files, a bundle has at most {MAX_FILES}")
    size = sum(info.file_size for info in entries)
    if size > MAX_BYTES:
        raise RunError(f"{path}: {size} bytes unpacked, a bundle has at most {MAX_BYTES}")
    seen: set[str] = set()
    for info in entries:
        fault = _fault(info, seen)
        if fault:
            raise RunError(f"{path}: {info.filename!r} {fault}; this is no bundle of audionas")
        seen.add(info.filename.casefold())


def _fault(info: zipfile.ZipInfo, seen: set[str]) -> str:
    name = PurePosixPath(info.filename)
    if name.is_absolute() or ".." in name.parts or "\\" in info.filename or ":" in info.filename:
        return "leaves the bundle"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a link"
    if info.flag_bits & 0x1:
        return "is encrypted"
    if name.suffix not in SUFFIXES:
        return f"is of a kind that no bundle holds ({', '.join(SUFFIXES)})"
    return "stands twice" if info.filename.casefold() in seen else ""
