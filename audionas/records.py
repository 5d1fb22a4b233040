"""Reading and writing of JSON, JSON lines and YAML: atomic writes, strict reads, errors in one line."""

from __future__ import annotations

import json
import math
import os
import reprlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from audionas.errors import AudionasError, LogError, RunError, SettingsError, unknown


class Record(BaseModel):
    """A frozen record with a text form; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)


RecordT = TypeVar("RecordT", bound=BaseModel)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a full disk or a read-only folder into one clear line."""
    try:
        yield
    except OSError as why:
        reason = why.strerror or str(why)
        raise RunError(f"{path}: cannot write ({reason}); free space or choose another folder") from why


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Call `write` on a temporary file beside `path`, then put it in place; a kill leaves the old file."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        os.close(handle)
        part = Path(name)
        try:
            part.chmod(0o644)
            write(part)
            with part.open("rb") as stream:
                os.fsync(stream.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""

    def write(part: Path) -> None:
        part.write_text(text, encoding="utf-8")

    write_atomically(path, write)


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes atomically; writers of torch and safetensors raise errors of their own on a full disk."""
    write_atomically(path, lambda part: part.write_bytes(data))


def to_json(value: object, indent: int | None = None) -> str:
    """JSON text; NaN and infinity are refused, because they are not JSON."""
    return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)


def write_json(path: Path, value: object) -> None:
    """Write one JSON document atomically."""
    write_text(path, to_json(value, indent=2) + "\n")


def read_json(path: Path, what: str, *, max_bytes: int = 512 * 2**20) -> Any:
    """Read one JSON document.

    Raises:
        AudionasError: the file is missing, larger than `max_bytes`, not UTF-8 or not JSON.
    """
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise AudionasError(f"{path}: {size} bytes, a {what} has at most {max_bytes}")
        text = path.read_text(encoding="utf-8")
        return json.loads(text, parse_constant=_refuse_number, parse_float=_finite)
    except FileNotFoundError as why:
        raise AudionasError(f"{path}: no such {what}") from why
    except OSError as why:
        raise AudionasError(f"{path}: cannot read this {what} ({why.strerror or why})") from why
    except (ValueError, RecursionError) as why:
        raise AudionasError(f"{path}: not a {what}: not valid JSON ({_short(why)})") from why


def _refuse_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        _refuse_number(text)
    return value


def append_jsonl(path: Path, record: object) -> None:
    """Append one line and flush it to the disk."""
    with writing(path), path.open("a", encoding="utf-8") as stream:
        stream.write(to_json(record) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def read_jsonl(path: Path, *, is_whole: bool = False, n_lines: int | None = None) -> list[Any]:
    """All complete lines; a torn last line (the process was killed while writing) is left out.

    Args:
        is_whole: nothing was killed while writing, so that a torn last line is a damage.
        n_lines: read so many lines, as if no more were there.

    Raises:
        RunError: the file cannot be read.
        LogError: a line is no JSON object; with its number.
    """
    if not path.exists():
        return []
    records = []
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as why:
        raise RunError(f"{path}: cannot read this log ({why.strerror or why})") from why
    if n_lines is not None:
        lines = [*lines[:-1][:n_lines], b""]
    if is_whole and lines[-1]:
        text = f"{path}: line {len(lines)} is torn: it has no end; restore the file, or make the run anew"
        raise LogError(text, len(lines) - 1)
    for number, line in enumerate(lines[:-1], start=1):
        try:
            record = json.loads(line, parse_constant=_refuse_number, parse_float=_finite)
            if not isinstance(record, dict):
                raise ValueError(f"expected an object, got {type(record).__name__}")
            records.append(record)
        except (ValueError, RecursionError) as why:
            if number == len(lines) - 1 and not is_whole:
                break
            raise LogError(f"{path}: line {number} is not JSON ({_short(why)})", number - 1) from why
    return records


def rewrite_jsonl(path: Path, records: list[Any]) -> None:
    """Replace a JSON lines file atomically, e.g. to cut it back to the last checkpoint."""
    write_text(path, "".join(to_json(record) + "\n" for record in records))


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML in which a key may stand only once in a mapping."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            mark = key_node.start_mark
            raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def parse_yaml(text: str, where: str) -> dict[str, Any]:
    """A mapping from YAML text: no tags, no duplicate keys.

    Raises:
        SettingsError: the text is not a YAML mapping.
    """
    try:
        value = yaml.load(text, Loader=_StrictLoader)
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as why:
        raise SettingsError(f"{where}: not valid YAML: {_short(why)}") from why
    if not isinstance(value, dict):
        raise SettingsError(f"{where}: expected a YAML mapping of settings, got {type(value).__name__}")
    return value


def validate(model: type[RecordT], data: object, where: str) -> RecordT:
    """Build a record from untrusted data; all mistakes are reported together, in one line.

    Raises:
        SettingsError: with `where`, each wrong key or value, and what is accepted.
    """
    try:
        return model.model_validate(data)
    except ValidationError as why:
        found = problems(why, model)
        raise SettingsError(f"{where}: {'; '.join(found)}", found) from why


def refuse_name(settings: Mapping[str, object], where: str) -> None:
    """The name of a YAML is its file's; one inside would mean nothing.

    Raises:
        SettingsError: there is a key `name`.
    """
    if "name" in settings:
        raise SettingsError(f"{where}: key 'name': the name is that of the file; remove the key")


_SHOWN = reprlib.Repr()  # a value may be huge, or explode through YAML aliases
_SHOWN.maxstring = _SHOWN.maxother = _SHOWN.maxlong = 80
_SHOWN.maxlevel = 2


def problems(why: ValidationError, model: type[BaseModel]) -> list[str]:
    """Each mistake of a pydantic error in words: key, value given, values accepted."""
    lines = []
    for error in why.errors():
        place = ".".join(str(part) for part in error["loc"])
        if error["type"] == "extra_forbidden":
            lines.append(unknown("key", place, _keys_beside(model, error["loc"])))
        elif error["type"] == "missing":
            lines.append(f"key {place!r} is missing")
        else:
            given = "" if isinstance(error["input"], dict) else f"got {_SHOWN.repr(error['input'])}, "
            lines.append(f"{place}: {given}{_accepted(error)}" if place else _accepted(error))
    return lines


_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("above", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("below", "lt"),
}
_KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "string": "text", "tuple": "a list",
          "list": "a list", "dict": "a mapping", "model": "a mapping"}  # fmt: skip


def _accepted(error: Mapping[str, Any]) -> str:
    """What pydantic would have accepted, in our words."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in _BOUNDS:
        word, key = _BOUNDS[kind]
        return f"must be {word} {context[key]:g}"
    if kind == "literal_error":
        return f"must be {context['expected']}"
    stem = kind.split("_")[0]
    if stem in _KINDS and kind.endswith(("_type", "_parsing", "_from_float")):
        return f"must be {_KINDS[stem]}"
    return str(error["msg"]).removeprefix("Value error, ")


def _keys_beside(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """The keys accepted where an unknown one stands, following nested records."""
    current: type[BaseModel] = model
    for part in place[:-1]:
        field = current.model_fields.get(str(part))
        annotation = field.annotation if field else None
        kinds = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
        inner = [kind for kind in kinds if issubclass(kind, BaseModel)]  # of `Record | None`, the record
        if not inner:
            break
        current = inner[0]
    return sorted(set(current.model_fields) - {"name"})  # the name is the file's, see refuse_name


def _short(why: BaseException) -> str:
    return " ".join(str(why).split())[:200]
