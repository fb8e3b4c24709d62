"""USD (.usd, .usda, .usdc, .usdz) through OpenUSD, in a process of its own.

OpenUSD prints to the file descriptors and may crash on damaged files; neither must reach the
user's process. The child hands its result over by pickle: both ends are this package.
"""

from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

from clearcoat.errors import MissingDependencyError, ProductError
from clearcoat.product.raw import RawProduct, ReadOptions
from clearcoat.product.readers.usd.package import check_package

__all__ = ["read"]

_CHILD = """
import pickle, sys
from pathlib import Path
sys.path[:] = pickle.loads(sys.stdin.buffer.read())
from clearcoat.errors import ClearcoatError
from clearcoat.product.readers.usd.stage import read_stage
source, target, variant = sys.argv[1:]
try:
    outcome = read_stage(Path(source), variant or None)
except ClearcoatError as error:
    outcome = error
with open(target, "wb") as stream:
    pickle.dump(outcome, stream, protocol=pickle.HIGHEST_PROTOCOL)
"""


def read(path: Path, options: ReadOptions) -> RawProduct:
    """Read a USD stage: unit, up axis, hierarchy, instances, materials, variants.

    Raises:
        ProductError: damaged, a package that could harm, files outside the product's folder, or
            no such variant.
        MissingDependencyError: usd-core is not installed.
    """
    if importlib.util.find_spec("pxr") is None:
        raise MissingDependencyError(
            "reading USD needs usd-core", where=path, do="pip install 'clearcoat[usd]'"
        )
    with path.open("rb") as stream:
        packed = stream.read(4) == b"PK\x03\x04"
    if packed or path.suffix.lower() == ".usdz":
        check_package(path)
    with tempfile.TemporaryDirectory(prefix="clearcoat-") as folder:
        target = Path(folder) / "product.pickle"
        outcome = subprocess.run(
            [sys.executable, "-P", "-c", _CHILD, path.absolute(), target, options.variant or ""],
            input=pickle.dumps(sys.path),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        try:
            with target.open("rb") as stream:
                found: RawProduct | ProductError = pickle.load(stream)
        except (OSError, EOFError, pickle.UnpicklingError):
            text = outcome.stdout.decode(errors="replace")
            if outcome.returncode == 1 and "Traceback (most recent call last)" in text:
                raise RuntimeError(f"the USD reader failed on {path}:\n{text}") from None
            raise ProductError(
                "the USD file cannot be read",
                where=path,
                found=f"OpenUSD stopped with code {outcome.returncode}",
                do="open it in usdview and export it again",
            ) from None
    if isinstance(found, ProductError):
        if found.where == str(path.absolute()):
            found.where = str(path)
        raise found
    return found
