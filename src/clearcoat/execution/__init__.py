"""Where work runs: this process or several. Knows nothing of what the work is."""

from clearcoat.execution.local import run_local
from clearcoat.execution.processes import is_running

__all__ = ["is_running", "run_local"]
