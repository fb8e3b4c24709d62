"""Turn a product's CAD model into labelled images, train on them, and measure their worth.

The names below are the public interface. Each is imported on first use, so that
`import clearcoat` and the command line's help stay fast.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "ClearcoatError": "clearcoat.errors",
    "Dataset": "clearcoat.dataset",
    "DatasetWriter": "clearcoat.dataset",
    "Job": "clearcoat.generation",
    "LabelRaster": "clearcoat.dataset",
    "Predictor": "clearcoat.training",
    "Product": "clearcoat.product",
    "Record": "clearcoat.dataset",
    "Sources": "clearcoat.training",
    "build_vehicle": "clearcoat.vehicles:build",
    "generate": "clearcoat.generation",
    "load_scene": "clearcoat.generation",
    "read_product": "clearcoat.product:read",
    "run_training": "clearcoat.training",
    "training_config": "clearcoat.training",
    "write_report": "clearcoat.report",
}

__all__ = ["__version__", *_HOME]  # noqa: PLE0604 - all of them are strings


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _HOME[name].partition(":")
    return getattr(importlib.import_module(module), attribute or name)


def __dir__() -> list[str]:
    return sorted(__all__)
