"""A child hears of its parent's end before it loads what takes seconds."""

from __future__ import annotations

import subprocess
import sys


def test_what_a_child_imports_before_it_listens_is_light() -> None:
    code = (
        "import audionas.search.engines.worker, audionas.search.engines.shared_file, sys\n"
        "print([name for name in ('torch', 'nni', 'pytorch_lightning', 'sklearn', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
