"""Sensors in a series: JPEG files as taken, the same bytes again, labels as without a sensor."""

from __future__ import annotations

from pathlib import Path

from clearcoat.dataset import Dataset, check_dataset
from clearcoat.generation import Job, generate


def test_a_sensor_takes_the_same_picture_again_and_leaves_the_labels(
    toy_spec: Path, tmp_path: Path
) -> None:
    (tmp_path / "toy.glb").write_bytes((toy_spec.parent / "toy.glb").read_bytes())
    spec = tmp_path / "noisy.yaml"
    sensor = "{camera: phone, gain_db: {uniform: [12, 24]}, jpeg_quality: 70, vignetting: {}}"
    spec.write_text(f"{toy_spec.read_text()}sensor: {sensor}\n")
    sets = []
    for name, path in (("a", spec), ("b", spec), ("plain", toy_spec)):
        list(generate(Job(path, seed=2, size=(40, 32), out=tmp_path / name), [1]))
        sets.append(Dataset.open(tmp_path / name))
    noisy, again, plain = sets
    assert not check_dataset(noisy).errors
    info = noisy.record_info(1)
    assert info.image.file == "images/000001.jpg"
    assert info.image.sha256 == again.record_info(1).image.sha256
    assert 12 <= info.metadata["sensor"]["gain_db"] <= 24
    assert noisy.labels(1).same_as(plain.labels(1))
    difference = noisy.image(1).astype(float) - plain.image(1)
    assert 2 < difference.std() < 60
