"""How a rendered data set differs from photographs, and which ranges of its spec to change."""

from clearcoat.report.gap.compare import Difference, Gap, compare_datasets
from clearcoat.report.gap.features import FeatureGap, compare_features
from clearcoat.report.gap.measures import MEASURES, Measured, measure
from clearcoat.report.gap.page import write_gap

__all__ = [
    "MEASURES",
    "Difference",
    "FeatureGap",
    "Gap",
    "Measured",
    "compare_datasets",
    "compare_features",
    "measure",
    "write_gap",
]
