"""Labelled images on disk: records, label rasters, subsets, statistics and checks."""

from clearcoat.dataset.check import CheckReport, Finding, check_dataset
from clearcoat.dataset.class_map import ClassMap, load_class_map
from clearcoat.dataset.labels import ClassSet, LabelRaster
from clearcoat.dataset.merge import merge_datasets
from clearcoat.dataset.objects import ObjectEntry, ObjectPixels, PartPixels
from clearcoat.dataset.palette import class_colors
from clearcoat.dataset.record import IGNORE, Coverage, EncodedImage, Record, RecordInfo
from clearcoat.dataset.resize import resize_image, resize_labels
from clearcoat.dataset.statistics import ClassStatistics, DatasetStatistics, dataset_statistics
from clearcoat.dataset.store import Dataset, Progress
from clearcoat.dataset.subsets import holdout_split, independent_subset, nested_subset
from clearcoat.dataset.writer import DatasetWriter

__all__ = [
    "IGNORE",
    "CheckReport",
    "ClassMap",
    "ClassSet",
    "ClassStatistics",
    "Coverage",
    "Dataset",
    "DatasetStatistics",
    "DatasetWriter",
    "EncodedImage",
    "Finding",
    "LabelRaster",
    "ObjectEntry",
    "ObjectPixels",
    "PartPixels",
    "Progress",
    "Record",
    "RecordInfo",
    "check_dataset",
    "class_colors",
    "dataset_statistics",
    "holdout_split",
    "independent_subset",
    "load_class_map",
    "merge_datasets",
    "nested_subset",
    "resize_image",
    "resize_labels",
]
