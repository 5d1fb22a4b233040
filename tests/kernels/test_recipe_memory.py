"""Long sequences fit: what the reverse pass reads is computed again where it would take too much memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

PEAK = r"""
import re
import torch
from audionas.models.recipe_rnn import RecipeRnn
from audionas.spaces.recipe_generator import generate_recipe
from audionas.spaces.reference_recipes import reference_recipe

torch.set_num_threads(1)
torch.set_flush_denormal(True)

def peak():
    # not ru_maxrss, which begins at that of the process that started this one
    return int(re.search(r"VmHWM:\s+(\d+) kB", open("/proc/self/status").read()).group(1)) / 1024

recipe = {recipe}
RecipeRnn(recipe, 512, 256)(torch.zeros(1, 2, 512)).sum().backward()
network, x = RecipeRnn(recipe, 512, 256, 2, bidirectional={bidirectional}), torch.randn(32, 727, 512)
before = peak()
network(x)[:, -1].sum().backward()
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a process's peak is read from /proc")
@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("recipe", ["reference_recipe('lstm')", "generate_recipe(8, 3, 21)"])
def test_two_layers_over_727_frames_fit_in_a_gigabyte(recipe: str, bidirectional: bool) -> None:
    program = PEAK.format(recipe=recipe, bidirectional=bidirectional)
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 0 < float(told.stdout) < 1024
