"""setup.cfg says what the tree holds."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_setup_cfg_lists_every_package_of_the_tree() -> None:
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    listed = set(settings["options"]["packages"].split())
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "audionas").rglob("__init__.py")}
    assert listed == found | {"audionas.schemas", "audionas.search_spaces", "audionas.strategies"}


def test_pyproject_has_three_lines() -> None:
    assert len((ROOT / "pyproject.toml").read_text().splitlines()) == 3


def test_the_folders_beside_the_package_hold_no_python() -> None:
    assert not [
        file for folder in ("schemas", "search_spaces", "strategies") for file in (ROOT / folder).glob("**/*.py")
    ]


def test_importing_audionas_loads_neither_torch_nor_nni() -> None:
    import subprocess
    import sys

    code = (
        "import audionas, sys; print([m for m in ('torch', 'nni', 'librosa', 'pandas', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_genotype_is_built_without_nni() -> None:
    import subprocess
    import sys

    code = (
        "import sys; sys.modules['nni'] = None\n"
        "import numpy, torch, audionas\n"
        "space = audionas.load_search_space('darts_cnn_small')\n"
        "genotype = space.random(numpy.random.default_rng(0))\n"
        "network = audionas.build_model(genotype, input_shape=(1, 32, 64), n_classes=3)\n"
        "import audionas.experiment.retrain\n"
        "print(tuple(network(torch.zeros(2, 1, 32, 64)).shape))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "(2, 3)", done.stderr
