"""Labelled images on disk: records, label rasters, subsets, statistics and checks."""

from clearcoat.dataset.labels import ClassSet, LabelRaster
from clearcoat.dataset.palette import class_colors
from clearcoat.dataset.record import EncodedImage, Record, RecordInfo
from clearcoat.dataset.store import Dataset
from clearcoat.dataset.writer import DatasetWriter

__all__ = [
    "ClassSet",
    "Dataset",
    "DatasetWriter",
    "EncodedImage",
    "LabelRaster",
    "Record",
    "RecordInfo",
    "class_colors",
]
