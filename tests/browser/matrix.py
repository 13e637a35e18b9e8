"""The panel on several versions of ipykernel: each is laid over the others' environment, and tried in JupyterLab."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

VERSIONS = ("6.31.0", "7.0.1", "7.3.0", "")  # "" is the newest
TESTS = "start_to_the_reopened or interrupt or set_up_by_hand"


def main() -> None:
    """Installs each version (or those that are named) into a folder of its own, first on the path of the tests."""
    bad = []
    for version in sys.argv[1:] or VERSIONS:
        with tempfile.TemporaryDirectory() as folder:
            wanted = f"ipykernel=={version}" if version else "ipykernel"
            install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, wanted]
            subprocess.run(install, check=True)
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")])}
            found = subprocess.run(
                [sys.executable, "-c", "import ipykernel; print(ipykernel.__version__)"],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
            print(f"ipykernel {found}", flush=True)
            tests = [sys.executable, "-m", "pytest", str(Path(__file__).parent), "-k", TESTS, "-q", "--no-header"]
            if subprocess.run(tests, env=environment).returncode:
                bad.append(found)
    sys.exit(f"failed on ipykernel {', '.join(bad)}" if bad else 0)


if __name__ == "__main__":
    main()
