"""Collects what a machine with a GPU, but without network, lacks to run `benchmarks/gpu/run.py`: wheels, in one folder.

    python benchmarks/gpu/prepare.py --out wheels [--python 3.12] [--there there.txt]

Run it where a package index can be reached; it takes the versions of `constraints.txt`. What the other machine has (one
name a line, as `pip list --format freeze` there prints them; torch and torchaudio are always counted as there) is left
out, with all that only it needs. NNI travels without its folder `nni_node`, 192 MB of a training service that audionas
never starts. Then copy folder and repository over, and there:

    python -m pip install --no-index --no-deps --no-compile --target site wheels/*.whl
    PYTHONPATH=.:site python benchmarks/gpu/run.py
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import io
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from configparser import ConfigParser
from email.parser import Parser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parent.parent.parent
ALWAYS_THERE = ("torch", "torchaudio", "triton")
PLATFORMS = [f"manylinux_2_{n}_x86_64" for n in (39, 35, 34, 31, 28, 27, 26, 24, 17, 12, 5)]
LEFT_OUT_OF_NNI = "nni_node/"


def requirements() -> list[str]:
    """What `setup.cfg` asks for at run time."""
    config = ConfigParser()
    config.read(REPOSITORY / "setup.cfg")
    return config["options"]["install_requires"].split()


def constraints() -> dict[str, str]:
    """The version of each package in `constraints.txt`."""
    lines = (line.split("#")[0].strip() for line in (REPOSITORY / "constraints.txt").read_text("utf-8").splitlines())
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines if line)}


def download(name: str, version: str | None, python: str, folder: Path) -> Path:
    """The wheel of one package for Linux on x86-64; the newest version where none is named."""
    wanted = f"{name}=={version}" if version else name
    platforms = [word for platform in (*PLATFORMS, "manylinux2014_x86_64") for word in ("--platform", platform)]
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version",
        python, "--implementation", "cp", *platforms, "--dest", str(folder), wanted,
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return next(path for path in folder.glob("*.whl") if canonicalize_name(path.name.split("-")[0]) == name)


def needs(wheel: Path, python: str) -> Iterator[str]:
    """Names of what a wheel asks for without extras."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = Parser().parsestr(archive.read(metadata).decode("utf-8")).get_all("Requires-Dist", [])
    there = {"python_version": python, "python_full_version": f"{python}.0", "extra": "", "sys_platform": "linux"}
    for requirement in map(Requirement, lines):
        if requirement.marker is None or requirement.marker.evaluate({**there, "platform_system": "Linux"}):
            yield canonicalize_name(requirement.name)


def collect(wanted: Iterable[str], there: set[str], python: str, folder: Path) -> None:
    """Download everything that is wanted, and what it needs in turn, but for what is there."""
    versions, waiting, seen = constraints(), list(wanted), set(there)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in seen:
            seen.add(name)
            wheel = download(name, versions.get(name), python, folder)
            waiting += needs(wheel, python)


def without_node(wheel: Path) -> None:
    """Write NNI's wheel anew without the folder that only its training service needs."""
    lighter = wheel.with_suffix(".part")
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(lighter, "w", zipfile.ZIP_DEFLATED) as new:
        record = next(name for name in old.namelist() if name.endswith(".dist-info/RECORD"))
        rows = [[record, "", ""]]
        for name in old.namelist():
            if not name.startswith(LEFT_OUT_OF_NNI) and name != record:
                data = old.read(name)
                new.writestr(name, data)
                digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                rows.append([name, f"sha256={digest}", str(len(data))])
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        new.writestr(record, text.getvalue())
    lighter.replace(wheel)


def names_in(file: Path | None) -> set[str]:
    """Names of installed packages, one a line, with or without a version."""
    lines = file.read_text("utf-8").split() if file else []
    return {canonicalize_name(line.split("=")[0]) for line in lines}


def main() -> None:
    """Fill the folder and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--python", default="3.12", help="version of Python there")
    parser.add_argument("--there", type=Path, help="file with the names of packages that are there")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    wanted = [canonicalize_name(Requirement(line).name) for line in requirements()]
    collect(wanted, names_in(given.there) | {*ALWAYS_THERE}, given.python, given.out)
    for wheel in given.out.glob("nni-*.whl"):
        without_node(wheel)
    wheels = sorted(given.out.glob("*.whl"))
    total = sum(wheel.stat().st_size for wheel in wheels)
    print(*(f"{wheel.stat().st_size / 2**20:6.1f} MiB  {wheel.name}" for wheel in wheels), sep="\n")
    print(f"{total / 2**20:.1f} MiB in {len(wheels)} wheels")


if __name__ == "__main__":
    main()
