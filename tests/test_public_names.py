"""The public names: adding or removing one is a decision, not an accident."""

from __future__ import annotations

import clearcoat


def test_public_names() -> None:
    assert sorted(clearcoat.__all__) == [
        "ClearcoatError", "Dataset", "DatasetWriter", "Job", "LabelRaster", "Predictor",
        "Product", "Record", "Sources", "__version__", "build_vehicle", "generate",
        "load_scene", "read_product", "run_training", "training_config", "write_report",
    ]  # fmt: skip
    assert all(getattr(clearcoat, name) is not None for name in clearcoat.__all__)
    assert set(dir(clearcoat)) == set(clearcoat.__all__)
