"""Images kept in memory are those that reading gives."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clearcoat.dataset import Dataset
from clearcoat.studies.memory import ImageMemory
from clearcoat.training import pack


@pytest.mark.parametrize("wanted", [[3], [5, 1, 3], [0, 1, 2, 3, 4, 5, 6, 7], [7, 3, 0]])
def test_the_same_as_reading(wanted: list[int], data: Path) -> None:
    dataset = Dataset.open(data / "photos")
    memory = ImageMemory()
    for earlier in ([1, 4], [3, 2], wanted):
        got = memory(dataset, earlier, 16)
    expected = pack(dataset, wanted, 16)
    assert got.names == expected.names
    assert torch.equal(got.images, expected.images)
    ours, theirs = (images.table().targets(images.labels) for images in (got, expected))
    assert torch.equal(ours.members, theirs.members)
    assert torch.equal(ours.counted, theirs.counted)


def test_each_record_is_read_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = Dataset.open(data / "photos")
    memory = ImageMemory()
    memory(dataset, [0, 1], 16)
    # A subset of the same folder holds the same records.
    monkeypatch.setattr(Dataset, "image", None)
    assert len(memory(dataset.subset([1]), [1], 16)) == 1
    with pytest.raises(TypeError):
        memory(dataset, [2], 16)
