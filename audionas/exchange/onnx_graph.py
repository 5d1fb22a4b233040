"""From networks in torch to the bytes of an ONNX model, by torch's exporter (`torch.export` and onnxscript).

Its older exporter, by tracing, unrolls loops over frames; this one keeps them, as `Scan`, for any number of frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from audionas.errors import RunError
from audionas.exchange.onnx_file import KEY, SCORES, OnnxDescription, need_onnx
from audionas.exchange.scored_input import ScoredInput
from audionas.exchange.scoring_network import ScoringEnsemble
from audionas.kernels.exporting import exporting
from audionas.quiet_libraries import quietly

OPSET = 20
EXAMPLE_ROWS = 3
_TALKATIVE = (
    "torch.onnx",
    "onnxscript",
    "onnx_ir",
    "torch.export",
    "torch.fx",
)  # of packages that are not needed, of their own deprecations


def onnx_model(ensemble: ScoringEnsemble, inputs: Sequence[ScoredInput]) -> bytes:
    """The graph of an ensemble, any number of rows and, where an input says so, of frames.

    Raises:
        RunError: torch cannot export these networks.
        SettingsError: onnx or onnxscript is not installed.
    """
    need_onnx("onnx", "onnxscript")
    names = [name for given in inputs for name in (given.features, given.lengths) if name is not None]
    axes = [each for given in inputs for each in _axes(given)]
    outputs = [SCORES] if len(inputs) == 1 else [SCORES, *(given.scores for given in inputs)]
    try:
        with exporting(), quietly(*_TALKATIVE), torch.no_grad():
            program = torch.onnx.export(
                ensemble, tuple(_examples(inputs)), dynamo=True, dynamic_shapes=(tuple(axes),), input_names=names,
                output_names=outputs, opset_version=OPSET, verbose=False, optimize=True,
            )  # fmt: skip
    except torch.onnx.OnnxExporterError as why:
        raise RunError(f"this network cannot be exported to ONNX ({_reason(why)})") from why
    assert program is not None
    model: Any = program.model_proto
    _forget_sources(model.graph)
    return bytes(model.SerializeToString())


def described(model: bytes, description: OnnxDescription) -> bytes:
    """The model with its description among the metadata."""
    import onnx

    found = onnx.load_from_string(model)
    del found.metadata_props[:]
    found.metadata_props.add(key=KEY, value=description.model_dump_json())
    found.producer_name, found.producer_version = "audionas", description.audionas
    return bytes(found.SerializeToString())


def _axes(given: ScoredInput) -> list[dict[int, str]]:
    frames = {3: f"frames{given.features.removeprefix('features')}"} if given.is_any_length else {}
    own = [{0: "batch"}] if given.lengths is not None else []
    return [{0: "batch"} | frames, *own]


def _examples(inputs: Sequence[ScoredInput]) -> Iterator[Tensor]:
    """Features of a few rows, and lengths of which no two are alike."""
    for given in inputs:
        yield torch.zeros(EXAMPLE_ROWS, *given.shape)
        if given.lengths is not None:
            yield torch.tensor([max(1, given.shape[2] * (k + 1) // EXAMPLE_ROWS) for k in range(EXAMPLE_ROWS)])


def _forget_sources(graph: Any) -> None:
    """Without what the exporter notes of each node: lines of code and places of files on this machine."""
    for node in graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _forget_sources(attribute.g)
    for value in (*graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del value.metadata_props[:]
    del graph.metadata_props[:]


def _reason(why: BaseException) -> str:
    """The first cause, in one line."""
    while why.__cause__ is not None:
        why = why.__cause__
    return " ".join(str(why).split())[:200] or type(why).__name__
