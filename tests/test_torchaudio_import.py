"""torchaudio works without its compiled extension, but for the functions that need it, which say so."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys, importlib.abc
class Broken(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "torchaudio._extension":
            raise OSError("libcudart.so.13: cannot open shared object file")
sys.meta_path.insert(0, Broken())
from audionas.torchaudio_import import import_torchaudio
import torch
torchaudio = import_torchaudio()
assert import_torchaudio() is torchaudio
x = torch.ones(2, 1, 4, 10)
print(torchaudio.functional.mask_along_axis_iid(x, 5, 0.0, 3).shape)
print(torchaudio.functional.amplitude_to_DB(torch.tensor([10.0]), 10.0, 1e-10, 0.0))
for name in ("rnnt_loss", "forced_align"):
    try:
        getattr(torchaudio.functional, name)(x, x)
    except RuntimeError as why:
        print(why)
try:
    torchaudio.transforms.RNNTLoss()(x, x, x, x)
except RuntimeError as why:
    print(why)
"""


def test_without_the_extension_only_the_functions_that_need_it_fail_and_say_why() -> None:
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert found.stderr == ""
    reason = "needs torchaudio's compiled extension, not loadable here: libcudart.so.13: cannot open shared object file"
    assert found.stdout.splitlines() == [
        "torch.Size([2, 1, 4, 10])",
        "tensor([10.])",
        f"torchaudio.rnnt_loss {reason}",
        f"torchaudio.forced_align {reason}",
        f"torchaudio.rnnt_loss {reason}",
    ]
