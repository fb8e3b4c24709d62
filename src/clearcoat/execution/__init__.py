"""Where work runs: this process or several. Knows nothing of what the work is."""

from clearcoat.execution.local import run_local

__all__ = ["run_local"]
