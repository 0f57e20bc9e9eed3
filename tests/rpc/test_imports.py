"""The doorway is light: services of any kind stand behind it."""

import subprocess
import sys


def test_the_doorway_loads_neither_torch_nor_numpy():
    program = "import sys, latentwalk.rpc.program; print({'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
