"""Where work runs: this process or several. Knows nothing of what the work is."""

from clearcoat.execution.local import Workers, run_local
from clearcoat.execution.processes import is_running

__all__ = ["Workers", "is_running", "run_local"]
