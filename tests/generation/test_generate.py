"""Generation: the same bytes in any order, from any number of processes, after any interruption."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from clearcoat.dataset import Dataset, check_dataset
from clearcoat.errors import DatasetError, ProductError, RenderError, SpecError, UsageError
from clearcoat.generation import Job, generate, load_scene
from clearcoat.materials import LIBRARY


def _bytes(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def whole(toy_spec: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "set"
    assert list(generate(Job(toy_spec, seed=4, size=(40, 32), out=out), range(4))) == [0, 1, 2, 3]
    return out


def test_two_processes_in_another_order_give_the_same_bytes(
    toy_spec: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "set"
    job = Job(toy_spec, seed=4, size=(40, 32), out=out)
    assert list(generate(job, [3], workers=1)) == [3]
    # What is left after an interruption, by two workers.
    assert sorted(generate(job, range(4), workers=2)) == [0, 1, 2]
    assert list(generate(job, range(4))) == []
    assert _bytes(out) == _bytes(whole)


def test_another_seed_gives_other_images(toy_spec: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    list(generate(Job(toy_spec, seed=5, size=(40, 32), out=out), [0]))
    assert not np.array_equal(Dataset.open(out).image(0), Dataset.open(whole).image(0))


def test_records_hold_what_was_seen(toy_spec: Path, whole: Path) -> None:
    report = check_dataset(Dataset.open(whole))
    assert not report.errors
    data = Dataset.open(whole)
    scene = load_scene(toy_spec)
    assert data.classes == ("body", "glass", "seat", "wheel", "handle")
    assert data.part_names == tuple(part.path for part in scene.product.parts)
    seen_through_glass = 0
    for index in data.indices:
        labels, parts, depth = data.labels(index), data.parts(index), data.depth(index)
        assert parts is not None
        assert depth is not None
        # Part, class and depth agree at every pixel.
        number = {name: i + 1 for i, name in enumerate(data.part_names)}
        assert np.array_equal(labels.mask(0), parts == number["body_block"])
        assert np.array_equal(labels.mask(1), parts == number["cabin_glass"])
        assert np.array_equal(labels.mask(3), parts == number["wheels_front"])
        assert np.array_equal(labels.ignore(), parts == number["wheels_rear"])
        assert np.array_equal(np.isfinite(depth), parts > 0)
        seen_through_glass += int((labels.mask(2) & labels.mask(1)).sum())
        camera = data.record_info(index).metadata["camera"]
        _check_reprojection(camera, depth, parts == number["body_block"])
    assert seen_through_glass > 0


def _check_reprojection(camera: dict[str, object], depth: np.ndarray, block: np.ndarray) -> None:
    """Pixels of the block, put back into space by depth and camera, lie on its faces."""
    rows, columns = np.nonzero(block)
    z = depth[rows, columns]
    x = (columns + 0.5 - camera["cx_px"]) / camera["fx_px"] * z  # type: ignore[operator]
    y = (rows + 0.5 - camera["cy_px"]) / camera["fy_px"] * z  # type: ignore[operator]
    world_from_camera = np.linalg.inv(np.array(camera["camera_from_world"]))
    world = (world_from_camera @ np.stack([x, y, z, np.ones_like(z)]))[:3]
    # The block is 4.0 x 1.6 x 0.6 m; the wheels below it reach the ground, 0.3 m lower.
    outside = np.abs(world - np.array([[0], [0], [0.6]])) - np.array([[2.0], [0.8], [0.3]])
    assert np.abs(outside.max(axis=0)).max() < 2e-3


def test_a_folder_of_another_series_is_refused(toy_spec: Path, whole: Path) -> None:
    before = _bytes(whole)
    for seed, size in ((5, (40, 32)), (4, (32, 32))):
        with pytest.raises(DatasetError):
            list(generate(Job(toy_spec, seed=seed, size=size, out=whole), range(6)))
    assert _bytes(whole) == before


@pytest.mark.parametrize(
    ("old", "new", "error", "says"),
    [
        ("file: toy.glb", "file: tog.glb", ProductError, "tog.glb"),
        ("*seat", "*seet", SpecError, "seat"),
        ("is: glass", "is: glas", SpecError, "did you mean 'glass'?"),
        ("use: tyre_rubber", "use: tire_rubber", SpecError, "did you mean 'tyre_rubber'?"),
        ("see_through: [seat]", "see_through: [seats]", SpecError, "did you mean 'seat'?"),
        ("{studio: 1}", "{studoi: 1}", SpecError, "did you mean 'studio'?"),
    ],
)
def test_mistakes_in_a_spec_leave_nothing_behind(
    toy_spec: Path, tmp_path: Path, old: str, new: str, error: type[Exception], says: str
) -> None:
    text = toy_spec.read_text()
    assert old in text
    spec, out = tmp_path / "bad.yaml", tmp_path / "out"
    spec.write_text(text.replace(old, new, 1))
    (tmp_path / "toy.glb").write_bytes((toy_spec.parent / "toy.glb").read_bytes())
    with pytest.raises(error) as caught:
        list(generate(Job(spec, seed=0, size=(32, 32), out=out), [0]))
    assert says in str(caught.value)
    assert not out.exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_mistake_that_shows_with_the_first_image_leaves_no_data_set(
    workers: int, spec: Path, tmp_path: Path
) -> None:
    text = spec.read_text()
    (tmp_path / "hdris").mkdir()
    (tmp_path / "hdris" / "sky.hdr").write_bytes(b"no picture")
    spec.write_text(text.replace("{studio: 1}", "{hdri: 1}, hdri_folder: hdris", 1))
    job = Job(spec, seed=0, size=(32, 32), out=tmp_path / "out")
    with pytest.raises(RenderError, match=r"sky\.hdr"):
        list(generate(job, [0, 1], workers=workers))
    spec.write_text(text)
    assert sorted(generate(job, [0, 1])) == [0, 1]


def test_sizes_and_seeds_out_of_range(toy_spec: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Job(toy_spec, seed=-1, size=(32, 32), out=tmp_path)
    with pytest.raises(UsageError):
        Job(toy_spec, seed=0, size=(4, 32), out=tmp_path)


def test_a_changed_material_makes_another_series(toy_spec: Path, tmp_path: Path) -> None:
    text = toy_spec.read_text()
    rougher = text.replace("use: tyre_rubber", "use: tyre_rubber, with: {roughness: 0.9}")
    assert rougher != text
    (tmp_path / "toy.glb").write_bytes((toy_spec.parent / "toy.glb").read_bytes())
    (tmp_path / "toy.yaml").write_text(rougher)
    assert load_scene(tmp_path / "toy.yaml").digest != load_scene(toy_spec).digest


def test_a_library_material_is_part_of_the_digest(
    toy_spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_scene(toy_spec).digest
    other = replace(LIBRARY["tyre_rubber"], roughness=0.9)
    monkeypatch.setattr("clearcoat.materials.library.LIBRARY", {**LIBRARY, "tyre_rubber": other})
    assert load_scene(toy_spec).digest != before
