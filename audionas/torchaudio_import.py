"""The only place that imports torchaudio: guarded, for a torch whose build differs from torchaudio's.

torchaudio 2.11's compiled extension is built for CUDA 13.0; with CPU torch, or another CUDA minor, its
import fails although everything but `rnnt_loss` and `forced_align` needs no extension. Then a stand-in for
the private module `torchaudio._extension` is put in place; keep the pin `torchaudio<2.12` for that reason.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any


def import_torchaudio() -> Any:
    """torchaudio, without its extension if that cannot be loaded here.

    Raises (later, by `rnnt_loss` and `forced_align` only):
        RuntimeError: the function needs the extension.
    """
    try:
        import torchaudio
    except (OSError, RuntimeError) as why:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
        refuse = _refusing(str(why).splitlines()[0])
        sys.modules["torchaudio._extension"] = _stand_in(refuse)
        import torchaudio

        for place in (torchaudio.functional, torchaudio.functional.functional, torchaudio.transforms._transforms):
            place.rnnt_loss = refuse(place.rnnt_loss)  # it asks no stand-in, it calls the extension
    return torchaudio


_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _refusing(reason: str) -> _Decorator:
    def refuse(function: Callable[..., Any]) -> Callable[..., Any]:
        def raise_error(*_: object, **__: object) -> None:
            name = getattr(function, "__name__", "this function")
            raise RuntimeError(f"torchaudio.{name} needs torchaudio's compiled extension, not loadable here: {reason}")

        return raise_error

    return refuse


def _stand_in(refuse: _Decorator) -> types.ModuleType:
    module: Any = types.ModuleType("torchaudio._extension")
    module._IS_TORCHAUDIO_EXT_AVAILABLE = False
    module._IS_ALIGN_AVAILABLE = False
    module.fail_if_no_align = refuse
    module._check_cuda_version = lambda: None
    return module  # type: ignore[no-any-return]
