"""Packs: what is read back is what the data set holds, and damage is found."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record
from clearcoat.dataset.resize import resize_image, resize_labels
from clearcoat.errors import DatasetError, TrainingError
from clearcoat.training import packing
from clearcoat.training.feeding import StreamedSet, feed
from clearcoat.training.packing import PackedDataset, pack_dataset

Make = Callable[..., Dataset]
CPU = torch.device("cpu")
SIZE = 16


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLEARCOAT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _patchwork(path: Path, count: int, class_count: int) -> Dataset:
    """Make a data set in which almost every pixel has a class set of its own."""
    classes = tuple(f"c{number}" for number in range(class_count))
    writer = DatasetWriter.create(path, classes, {"kind": "test"})
    for index in range(count):
        random = np.random.default_rng(index)
        image = random.integers(0, 256, (24, 20, 3), dtype=np.uint8)
        planes = random.random((class_count, 24, 20)) < 0.5
        raster = LabelRaster.from_planes(planes, random.random((24, 20)) < 0.1)
        writer.write(Record(index=3 * index, image=image, labels=raster))
    return Dataset.open(path)


def _assert_holds(pack: PackedDataset, dataset: Dataset) -> None:
    classes = len(dataset.classes)
    for row, index in enumerate(dataset.indices):
        image = resize_image(dataset.image(index), SIZE)
        np.testing.assert_array_equal(pack.images[row], image.transpose(2, 0, 1))
        labels = resize_labels(dataset.labels(index), SIZE)
        found = LabelRaster.from_table(np.asarray(pack.labels[row]), pack.sets)
        np.testing.assert_array_equal(found.planes(classes), labels.planes(classes))
        np.testing.assert_array_equal(found.ignore(), labels.ignore())


@pytest.mark.parametrize(("class_count", "dtype"), [(3, np.uint8), (12, np.int32)])
def test_a_pack_holds_what_the_data_set_holds(
    class_count: int, dtype: type, tmp_path: Path
) -> None:
    dataset = _patchwork(tmp_path / "data", 3, class_count)
    told: list[tuple[int, int]] = []
    pack = pack_dataset(dataset, SIZE, told=lambda *at: told.append(at))
    assert pack.labels.dtype == dtype
    assert told == [(1, 3), (2, 3), (3, 3)]
    _assert_holds(pack, dataset)


def test_a_pack_is_made_once_and_its_digest_is_its_contents(
    squares: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = squares("data", 3, where=tmp_path)
    first = pack_dataset(dataset, SIZE)
    monkeypatch.setattr(packing, "_write", lambda *_: pytest.fail("packed again"))
    again = pack_dataset(Dataset.open(dataset.path), SIZE)
    assert (again.path, again.digest) == (first.path, first.digest)
    monkeypatch.undo()
    monkeypatch.setenv("CLEARCOAT_CACHE", str(tmp_path / "elsewhere"))
    assert pack_dataset(dataset, SIZE).digest == first.digest
    other = squares("other", 3, seed=1, where=tmp_path)
    assert pack_dataset(other, SIZE).digest != first.digest


def test_streamed_batches_are_those_that_lie_on_the_device(tmp_path: Path) -> None:
    first = pack_dataset(_patchwork(tmp_path / "a", 5, 3), SIZE)
    second = pack_dataset(_patchwork(tmp_path / "b", 4, 3), SIZE)
    parts = [(first, np.array([4, 0, 2])), (second, np.array([1, 3]))]
    resident, streamed = feed(parts, CPU, "device"), feed(parts, CPU, "stream")
    assert isinstance(streamed, StreamedSet) and not isinstance(resident, StreamedSet)
    assert len(resident) == len(streamed) == 5
    assert resident.names == streamed.names == ("a/12", "a/0", "a/6", "b/3", "b/9")
    assert resident.sets == streamed.sets
    for announced in (None, [4, 0, 3], [1, 1, 1]):
        if announced is not None:
            streamed.announce(np.array(announced))
        numbers = np.array([4, 0, 3])
        for expected, found in zip(resident.fetch(numbers), streamed.fetch(numbers), strict=True):
            assert torch.equal(expected, found)
            assert expected.dtype == found.dtype
    assert torch.equal(resident.table().members, streamed.table().members)


@pytest.mark.parametrize("residence", ["device", "stream"])
def test_a_flipped_byte_is_found_when_its_row_is_read(
    residence: str, squares: Make, tmp_path: Path
) -> None:
    pack = pack_dataset(squares("data", 3, where=tmp_path), SIZE)
    file = pack.path / "images.u8"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    opened = pack_dataset(Dataset.open(tmp_path / "data"), SIZE)
    intact = feed([(opened, np.array([0, 1]))], CPU, residence)  # type: ignore[arg-type]
    intact.fetch(np.array([0, 1]))
    with pytest.raises(TrainingError, match="packed data set is damaged"):
        feed([(opened, np.array([2]))], CPU, residence).fetch(np.array([0]))  # type: ignore[arg-type]


def test_a_pack_cut_short_is_damaged(squares: Make, tmp_path: Path) -> None:
    dataset = squares("data", 3, where=tmp_path)
    pack = pack_dataset(dataset, SIZE)
    file = pack.path / "labels.u8"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(TrainingError, match="damaged") as caught:
        pack_dataset(dataset, SIZE)
    assert "remove this folder" in str(caught.value)


def test_an_unreadable_image_is_named_and_leaves_no_pack(
    squares: Make, tmp_path: Path, cache: Path
) -> None:
    dataset = squares("data", 3, where=tmp_path)
    file = tmp_path / "data" / dataset.record_info(1).image.file
    file.write_bytes(b"no image")
    with pytest.raises(DatasetError) as caught:
        pack_dataset(dataset, SIZE)
    assert str(file) in str(caught.value)
    assert not list((cache / "packs").iterdir())


def test_a_full_disk_is_one_error_and_leaves_nothing(
    squares: Make, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = squares("data", 3, where=tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(packing, "_narrow", full)
    with pytest.raises(TrainingError, match="packed data set") as caught:
        pack_dataset(dataset, SIZE)
    assert "No space left" in str(caught.value) and "CLEARCOAT_CACHE" in str(caught.value)
    assert not list((cache / "packs").iterdir())


def test_two_that_pack_at_once_both_get_the_pack(
    squares: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = squares("data", 2, where=tmp_path)
    write = packing._write

    def overtaken(*arguments: object) -> object:
        monkeypatch.setattr(packing, "_write", write)
        pack_dataset(dataset, SIZE)
        return write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(packing, "_write", overtaken)
    _assert_holds(pack_dataset(dataset, SIZE), dataset)
