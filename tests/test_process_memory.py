"""Freed memory stays with the process until it is given back; what the user has set is left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import json, re, resource
import torch
from audionas.process_memory import give_back_memory, keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        torch.ones(16 * 2**20)  # 64 MiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident_mib():
    return int(re.search(r"VmRSS:\\s+(\\d+) kB", open("/proc/self/status").read()).group(1)) / 1024

faults()
found = {"before": faults(), "is_kept": keep_freed_memory()}
for _ in range(3):  # until the heap is large enough
    faults()
found |= {"after": faults(), "resident": resident_mib()}
give_back_memory()
print(json.dumps(found | {"given_back": found["resident"] - resident_mib()}))
"""


def run(**environment: str) -> dict[str, float]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=plain | environment, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts page faults of glibc's malloc")
def test_freed_memory_is_kept_until_it_is_given_back() -> None:
    found = run()
    assert found["is_kept"]
    assert found["before"] > 5 * 16000  # pages of 4 KiB, five times 64 MiB
    assert found["after"] < 100
    assert found["given_back"] > 50


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts page faults of glibc's malloc")
@pytest.mark.parametrize("name", ["GLIBC_TUNABLES", "MALLOC_ARENA_MAX"])
def test_what_the_user_has_set_is_left_alone(name: str) -> None:
    found = run(**{name: "glibc.malloc.arena_max=2" if name == "GLIBC_TUNABLES" else "2"})
    assert not found["is_kept"]
    assert found["after"] > 5 * 16000
