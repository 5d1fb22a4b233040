"""`front.json` as the report reads it: whatever its form, it is the front of a search or one line that says why not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from audionas.errors import RunError
from audionas.records import read_json, validate

Number = Annotated[int, Field(ge=0)]


class _Point(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    file: str
    trial: Number
    hash: str


class _Front(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    objective: str
    costs: list[str]
    compared: Number
    points: list[_Point]


def read_front(path: Path) -> dict[str, Any] | None:
    """The document of a front, as it is; None where there is no file.

    Raises:
        SettingsError: it has not the keys of a front; with the first that is wrong.
        RunError: it is no JSON object, or a point has no number for the objective or a cost.
    """
    if not path.exists():
        return None
    document = read_json(path, "front")
    if not isinstance(document, dict):
        raise RunError(f"{path}: not a front: expected a JSON object, got {type(document).__name__}; {_TO_DO}")
    front = validate(_Front, document, f"{path}: not a front")
    for place, point in enumerate(document["points"]):
        for key in (front.objective, *front.costs):
            if not isinstance(point.get(key), int | float):
                raise RunError(
                    f"{path}: points.{place}: {key!r}: got {point.get(key)!r}, must be a number as the objective and "
                    f"every cost of the front; {_TO_DO}"
                )
    return document


_TO_DO = "restore the file, or search anew"
