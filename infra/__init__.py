"""What builds, deploys and runs Billfold, in wings: each imports only the wings below it (pyproject.toml has their order)."""

import pathlib
import sys

# The shared code as packages of this process; Lambda finds them in layers.
for _layer in ("billfold", "sandbox_bank"):
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "layers" / _layer / "python"))
