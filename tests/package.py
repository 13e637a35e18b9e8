"""The package as strangers get it: wheel and sdist are built, a user's script is checked against the wheel's types, the
sdist's tests run, and no link on the front page of a package index leads nowhere.

    python tests/package.py    in an environment with the extras `cpu`, `lab` and `test`; about two minutes
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "package"
SCRIPT = """
from typing import Any, assert_type

import nbtune

def build(layers: int) -> Any: ...

search = nbtune.tune(build, data=([[0.0]], [1]), layers=[1, 2], wait=False)
assert_type(search, nbtune.Search)
assert_type(search.state, str)
assert_type(search.trials, list[nbtune.Trial])
assert_type(search.coverage, nbtune.Coverage)
assert_type(search.plan, nbtune.Plan)
assert_type(search.best_so_far, nbtune.Trial | None)
assert_type(search.coverage.failed, int)
search.no_such_thing  # type: ignore[attr-defined]
"""


def main() -> None:
    shutil.rmtree(BUILD, ignore_errors=True)
    run(sys.executable, "-m", "build", "--outdir", BUILD, ROOT)
    (wheel,), (sdist,) = BUILD.glob("*.whl"), BUILD.glob("*.tar.gz")
    check_links(wheel)
    python = installed(wheel)
    (BUILD / "script.py").write_text(SCRIPT)
    run(sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "script.py")
    with tarfile.open(sdist) as archive:
        archive.extractall(BUILD, filter="data")
    source = BUILD / sdist.name.removesuffix(".tar.gz")
    run(python, "-m", "pytest", "-q", "--collect-only", "--no-header", folder=source, quiet=True)
    run(python, "-m", "pytest", "-q", "tests/ask", "tests/test_architecture.py", "tests/test_notebook.py", folder=source)


def installed(wheel: Path) -> Path:
    """An environment with the wheel in it, and what it needs from this one: the interpreter."""
    venv.create(BUILD / "venv", symlinks=True)
    python = BUILD / "venv" / "bin" / "python"
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(BUILD / "venv")}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    (packages / "needs.pth").write_text(sysconfig.get_path("purelib") + "\n")
    origin = run(python, "-P", "-c", "import nbtune; print(nbtune.__file__)", quiet=True)
    assert origin.startswith(str(packages)), f"{origin} is not the wheel's"
    return python


def check_links(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        page = archive.read(name).decode()
    for link in re.findall(r"\]\(([^)#]+)", page):
        assert link.startswith("https://"), f"the link {link} leads nowhere outside of the repository"
        path = re.sub(r"^https://[^/]+/nbtune/nbtune/(blob/)?main/", "", link)
        assert path == link or (ROOT / path).exists(), f"there is no {path}"


def run(*command: object, folder: Path = BUILD, quiet: bool = False) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["JUPYTER_PATH"] = f"{sys.prefix}/share/jupyter"  # nbconvert's templates, which pip installs beside its modules
    folder.mkdir(parents=True, exist_ok=True)
    output = subprocess.PIPE if quiet else None
    done = subprocess.run(list(map(str, command)), cwd=folder, env=environment, stdout=output, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout or ''}\nfailed: {' '.join(map(str, command))}")
    return (done.stdout or "").strip()


if __name__ == "__main__":
    main()
