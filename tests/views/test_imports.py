import subprocess
import sys


def test_choosing_a_surface_imports_nothing_heavy():
    script = "import sys, nbtune.views.frontend, nbtune.views.notebook.bundle, nbtune.views.live; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"matplotlib", "ipywidgets", "IPython", "numpy", "keras", "tensorflow"} & set(loaded)
