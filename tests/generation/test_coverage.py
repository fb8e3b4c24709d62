"""Soft masks: shares of pixels against labels of a finer picture, and through a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clearcoat.dataset import Dataset, check_dataset
from clearcoat.generation import Job, generate


def test_coverage_is_the_mean_of_a_finer_picture(toy_spec: Path, tmp_path: Path) -> None:
    (tmp_path / "toy.glb").write_bytes((toy_spec.parent / "toy.glb").read_bytes())
    spec = tmp_path / "soft.yaml"
    text = toy_spec.read_text().replace(
        "see_through: [seat]", "see_through: [seat], write: [coverage], supersample: 4"
    )
    spec.write_text(text)
    out, fine = tmp_path / "set", tmp_path / "fine"
    list(generate(Job(spec, seed=4, size=(40, 32), out=out), [0, 1]))
    list(generate(Job(toy_spec, seed=4, size=(160, 128), out=fine), [0, 1]))
    data, finer = Dataset.open(out), Dataset.open(fine)
    assert not check_dataset(data).errors
    for index in data.indices:
        soft = data.coverage(index)
        assert soft is not None
        hard, labels = data.labels(index), finer.labels(index)
        for number, name in enumerate(data.classes):
            mean = labels.mask(number).reshape(32, 4, 40, 4).mean(axis=(1, 3))
            if name not in soft.names:
                assert not mean.any()
                continue
            share = soft.share[..., soft.names.index(name)] / 255
            # The same rays, but for those that graze an edge in single precision.
            assert np.abs(share - mean).mean() < 1e-3
            # Where a pixel is covered whole or not at all, its one-ray label says the same.
            mask = hard.mask(number)
            assert ((~mask & (share == 1)) | (mask & (share == 0))).mean() < 2e-3
        edges = (soft.share > 0) & (soft.share < 255)
        assert edges.any()
    assert finer.coverage(0) is None
