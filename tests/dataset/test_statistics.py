from __future__ import annotations

import numpy as np
import pytest

from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record, dataset_statistics


def test_examples_frequency_and_area(tmp_path):
    random = np.random.default_rng(0)
    writer = DatasetWriter.create(tmp_path, ["a", "b", "never"], {"kind": "real"})
    all_planes, all_ignore = [], []
    for index in range(6):
        planes = random.random((3, 10, 20)) < 0.3
        planes[2] = False
        planes[1] &= index % 2 == 0
        ignore = random.random((10, 20)) < 0.1
        labels = LabelRaster.from_planes(planes, ignore)
        writer.write(Record(index, np.zeros((10, 20, 3), np.uint8), labels))
        all_planes.append(planes & ~ignore)
        all_ignore.append(ignore)
    seen = []
    found = dataset_statistics(
        Dataset.open(tmp_path), lambda done, total: seen.append((done, total))
    )
    planes, ignore = np.array(all_planes), np.array(all_ignore)
    known = (~ignore).sum(axis=(1, 2))
    shares = planes.sum(axis=(2, 3)) / known[:, None]
    assert [c.images for c in found.classes] == [6, 3, 0]
    assert [c.frequency for c in found.classes] == [1.0, 0.5, 0.0]
    assert found.classes[0].mean_share == pytest.approx(shares[:, 0].mean())
    assert found.classes[1].mean_share == pytest.approx(shares[::2, 1].mean())
    assert found.classes[2].mean_share is None
    assert found.ignore_share == pytest.approx(ignore.mean())
    background = (~planes.any(axis=1) & ~ignore).sum(axis=(1, 2)) / known
    assert found.background_share == pytest.approx(background.mean())
    assert found.several_share == pytest.approx((planes.sum(axis=1) > 1).mean())
    assert found.sizes == ((20, 10, 6),)
    assert (found.kind, found.images, found.labelled) == ("real", 6, 6)
    assert seen[-1] == (6, 6)


def test_images_without_labels_count_as_images_alone(tmp_path):
    writer = DatasetWriter.create(tmp_path, ["a", "b"], {})
    for index, known in enumerate([True, True, False, False]):
        planes = np.zeros((2, 4, 4), np.bool_)
        planes[0, :2] = planes[1, :1] = index == 0
        labels = LabelRaster.from_planes(planes, np.full((4, 4), not known))
        writer.write(Record(index, np.zeros((4, 4, 3), np.uint8), labels))
    found = dataset_statistics(Dataset.open(tmp_path))
    assert (found.images, found.labelled) == (4, 2)
    assert [one.frequency for one in found.classes] == [0.5, 0.5]
    assert (found.background_share, found.several_share) == (0.75, 0.125)
    assert found.ignore_share == 0.5


def test_an_empty_data_set(tmp_path):
    DatasetWriter.create(tmp_path, ["a"], {})
    found = dataset_statistics(Dataset.open(tmp_path))
    assert found.images == 0
    assert found.classes[0].frequency is None
    assert found.background_share is None
