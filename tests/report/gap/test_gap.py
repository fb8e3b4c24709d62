"""The gap: planted differences are found and answered with the right key of the spec."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import BaseModel
from scipy import linalg, stats

from clearcoat.cli import main
from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record
from clearcoat.errors import DatasetError
from clearcoat.generation import SceneSpec
from clearcoat.report.gap import Gap, compare_datasets, measure
from clearcoat.report.gap.advice import (
    ADVICE,
    OF_PARTS,
    TOWARDS,
    WIDEN,
    advice,
    references,
    widening,
)
from clearcoat.report.gap.compare import _newcombe
from clearcoat.report.gap.features import compare_features, frechet, reduced, separability
from clearcoat.report.gap.measures import (
    BINARY,
    CLASS_MEASURES,
    MEASURES,
    class_measures,
    common_size,
    noise_level,
    to_lab,
)
from clearcoat.report.gap.page import sliver_sentence, write_gap
from clearcoat.training import Sources, run_training, training_config
from tests.browser import open_page
from tests.report.test_report import Page


def _dataset(
    path: Path, count: int, seed: int, *, light: int = 120, side: int = 16, noise: float = 4.0,
    left: float = 0.5, absent: float = 0.0, tint: int = 0,
) -> Dataset:  # fmt: skip
    """A box of class `box` on a plain ground, 48 × 64."""
    writer = DatasetWriter.create(path, ("box", "never"), {"kind": "test"})
    random = np.random.default_rng(seed)
    for index in range(count):
        plane = np.zeros((2, 48, 64), dtype=np.bool_)
        extent = side + int(random.integers(-2, 3))
        row = int(random.integers(1, 47 - extent))
        column = int(np.clip(left * (64 - extent) + random.integers(-8, 9), 0, 64 - extent))
        if random.random() >= absent:
            plane[0, row : row + extent, column : column + extent] = True
        image = np.full((48, 64, 3), light + random.integers(-15, 16), dtype=np.float64)
        image[plane[0]] += 40
        image[..., 2] -= tint
        image += noise * random.standard_normal(image.shape)
        pixels = np.clip(np.round(image), 0, 255).astype(np.uint8)
        labels = LabelRaster.from_planes(plane)
        writer.write(Record(index=index, image=pixels, labels=labels))
    return Dataset.open(path)


def _gap(tmp_path: Path, **changes: Any) -> Gap:
    photos = _dataset(tmp_path / "photos", 40, 1)
    renders = _dataset(tmp_path / "renders", 40, 2, **changes)
    a, b = (measure(d, 64, d.indices) for d in (photos, renders))
    return compare_datasets(a, b, 64)


@pytest.mark.parametrize(
    ("changes", "measure_name", "advice"),
    [
        ({"light": 60}, "lightness", "raise light.exposure_ev"),
        ({"light": 190}, "lightness", "lower light.exposure_ev"),
        ({"side": 8}, "box: area", "raise camera.fill"),
        ({"side": 30}, "box: height", "lower camera.fill"),
        ({"noise": 0.5}, "noise", "add sensor noise"),
        ({"left": 0.0}, "box: x", "move camera.shift_x to the right"),
        ({"absent": 0.7}, "box: frequency", "widen or shift camera.azimuth_deg"),
        ({"tint": 60}, "warmth", "cooler environments"),
    ],
)
def test_a_planted_difference_is_found(
    changes: dict[str, Any], measure_name: str, advice: str, tmp_path: Path
) -> None:
    found = {difference.measure: difference for difference in _gap(tmp_path, **changes).notable}
    assert measure_name in found
    assert found[measure_name].advice.startswith(advice)


def test_none_is_found_where_there_is_none(tmp_path: Path) -> None:
    gap = _gap(tmp_path)
    assert not gap.notable
    # A class that neither shows has no place or colour; its frequency is the same.
    names = {difference.measure for difference in gap.differences}
    assert "never: frequency" in names and "never: area" not in names


def test_places_in_the_outline_are_those_of_the_product_wherever_it_stands() -> None:
    lab = np.zeros((20, 10, 3))
    found = []
    for row in (2, 8):
        whole, part = np.zeros((2, 20, 10), dtype=np.bool_)
        whole[row : row + 10] = True
        part[row + 3 : row + 7, 2:9] = True
        found.append(class_measures(part, lab, whole | part))
    first, second = found
    assert first is not None and second is not None
    assert first["top in outline"] == second["top in outline"] == pytest.approx(0.3)
    assert first["bottom in outline"] == second["bottom in outline"] == pytest.approx(0.7)
    assert first["y"] != second["y"]


def test_masks_smaller_than_people_draw_are_told_with_the_share_to_leave_out(
    tmp_path: Path,
) -> None:
    random = np.random.default_rng(0)
    sets = []
    for name, least in (("photos", 6), ("renders", 1)):
        writer = DatasetWriter.create(tmp_path / name, ("box", "rest"), {"kind": "test"})
        for index in range(60):
            planes = np.zeros((2, 40, 40), dtype=np.bool_)
            planes[0, :30, : int(random.integers(least, 20))] = True
            planes[1, :30] = ~planes[0, :30]
            image = random.integers(0, 256, (40, 40, 3)).astype(np.uint8)
            writer.write(Record(index=index, image=image, labels=LabelRaster.from_planes(planes)))
        sets.append(Dataset.open(tmp_path / name))
    photos, renders = (measure(d, 40, d.indices) for d in sets)
    (found,) = compare_datasets(photos, renders, 40).slivers
    assert found.name == "box"
    # The narrowest that people drew is six columns of forty; renders begin at one.
    assert found.least_share == pytest.approx(6 / 40, abs=0.01)
    assert found.below == pytest.approx(5 / 19, abs=0.1)
    assert 'labels.least_share: {"box": 0.15}' in sliver_sentence(
        compare_datasets(photos, renders, 40)
    )
    assert not compare_datasets(photos, photos, 40).slivers


def test_every_measure_has_its_advice() -> None:
    assert set(ADVICE) == {*MEASURES, *CLASS_MEASURES, "frequency"}
    # What an image has or has not is not to vary more.
    assert set(WIDEN) == set(ADVICE) - set(BINARY)


def _members(annotation: Any) -> set[str]:
    """All names that a type allows: members of its Literals, however deep."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    return set().union(*(_members(part) for part in get_args(annotation)))


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


_TEXTS = [
    text.replace("{rare}", "").replace("{word}", "").replace("{part}", "")
    for text in (*(t for pair in ADVICE.values() for t in pair), *WIDEN.values(), TOWARDS, OF_PARTS)
]


@pytest.mark.parametrize(
    ("key", "name"), sorted({r for text in _TEXTS for r in references(text)}, key=str)
)
def test_advised_keys_are_in_the_schema(key: str, name: str | None) -> None:
    models: list[type[BaseModel]] = [SceneSpec]
    annotation: Any = None
    for part in key.split("."):
        fields = [model.model_fields[part] for model in models if part in model.model_fields]
        assert fields, f"no key {part!r} of {key}"
        annotation = fields[0].annotation
        models = _models(annotation)
    assert name is None or name in _members(annotation)


def test_no_key_is_advised_unmarked() -> None:
    for text in _TEXTS:
        bare = re.sub(r"\{[^}]*\}", "", text)
        assert not re.search(r"[a-z]\.[a-z]|[“”{}]", bare), text


def test_a_class_may_be_called_anything() -> None:
    told = advice("{paint.colors} \\1: lightness", 0.9)
    assert told.startswith("darker materials on the parts of {paint.colors} \\1 (materials,")
    assert widening("{rare}: lightness").startswith("more varied materials on the parts of {rare}")
    assert "show {camera.fill}, raise" in advice("{camera.fill}: frequency", 0.1)


def test_lab_is_that_of_the_standard() -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [255, 255, 255], [0, 0, 0]]], dtype=np.uint8)
    expected = [[53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [100, 0, 0], [0, 0, 0]]
    np.testing.assert_allclose(to_lab(pixels)[0], expected, atol=0.02)


@pytest.mark.parametrize("sigma", [1.0, 4.0, 12.0])
def test_noise_is_measured_beside_texture(sigma: float) -> None:
    random = np.random.default_rng(0)
    image = np.full((128, 128, 3), 120.0)
    # A busy half that is no noise.
    image[:, 64:] += 60 * ((np.indices((128, 64)).sum(axis=0) // 5) % 2)[..., None]
    image += sigma * random.standard_normal(image.shape)
    pixels = np.clip(np.round(image), 0, 255).astype(np.uint8)
    assert noise_level(pixels) == pytest.approx(sigma, rel=0.2)


def test_two_photos_are_too_few_to_compare(tmp_path: Path) -> None:
    few = _dataset(tmp_path / "few", 2, 0)
    with pytest.raises(DatasetError, match="too few images"):
        measure(few, 64, few.indices)


def test_images_are_never_enlarged(tmp_path: Path) -> None:
    small = _dataset(tmp_path / "small", 2, 0)
    assert common_size([small], 256) == 64 and common_size([small], 32) == 32


def test_newcombes_interval_covers() -> None:
    random = np.random.default_rng(0)
    true = float(stats.norm.cdf(1.0 / np.sqrt(2)))
    held = 0
    for _ in range(300):
        a, b = random.standard_normal(25), 1.0 + random.standard_normal(30)
        area = float((b[:, None] > a).mean())
        low, high = _newcombe(area, 30, 25)
        held += low <= true <= high
    assert 0.92 < held / 300 < 0.99
    assert _newcombe(1.0, 20, 20)[1] == 1.0 and _newcombe(1.0, 20, 20)[0] < 0.97


def _clouds(shift: float, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    scale = np.array([1.0, 2.0, 0.5, 3.0])
    a = scale * random.standard_normal((200, 4))
    return a, scale * random.standard_normal((300, 4)) + shift * scale


def test_frechet_is_the_closed_form() -> None:
    a, b = _clouds(1.0)
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    shift = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum()
    root = linalg.sqrtm(first @ second).real
    assert frechet(a, b) == pytest.approx(np.sqrt(shift + np.trace(first + second - 2 * root)))
    assert frechet(a, a) == pytest.approx(0.0, abs=1e-5)


def test_two_clouds_are_told_apart_and_one_is_not() -> None:
    area, low, high = separability(*reduced(*_clouds(0.0)))
    assert low < 0.5 < high or abs(area - 0.5) < 0.05
    area, low, _ = separability(*reduced(*_clouds(1.5)))
    # Four directions, each 1.5 standard deviations apart: Φ(3 / √2).
    assert area == pytest.approx(float(stats.norm.cdf(3 / np.sqrt(2))), abs=0.02)
    assert low > 0.9


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gap")
    photos = _dataset(folder / "photos", 24, 1)
    _dataset(folder / "renders", 24, 2, light=70, side=9)
    values = {
        "model": {"filters": (4, 8)}, "size": 32, "max_steps": 3, "min_steps_per_epoch": 1,
        "precision": "fp32",
    }  # fmt: skip
    run_training(training_config(values), Sources(real=photos), folder / "run", device="cpu")
    return folder


def test_a_trained_encoder_sees_it(workshop: Path) -> None:
    photos, renders = (Dataset.open(workshop / name) for name in ("photos", "renders"))
    apart = compare_features(workshop / "run", photos, renders, (photos.indices, renders.indices))
    same = compare_features(
        workshop / "run", photos, photos, (photos.indices[:12], photos.indices[12:])
    )
    assert apart.separability > 0.9 > same.separability
    assert apart.distance is not None and same.distance is not None
    assert apart.by_chance is not None and same.by_chance is not None
    assert apart.distance > 2 * same.distance
    assert same.distance < 2 * same.by_chance and apart.distance > 2 * apart.by_chance
    assert len(apart.farthest) == 8 and apart.farthest[0][1] >= apart.farthest[-1][1]


def test_the_command_says_it_and_writes_a_page(
    workshop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["gap", "--real", str(workshop / "photos"), "--synthetic",
                 str(workshop / "renders"), "--run", str(workshop / "run"), "--device", "cpu",
                 "--out", str(tmp_path / "gap.html")]  # fmt: skip
    main(arguments)
    output = capsys.readouterr().out
    assert "measures differ enough to act upon" in output
    assert "Raise light.exposure_ev" in output and "can be told apart" in output
    page = Page((tmp_path / "gap.html").read_text(encoding="utf-8"))
    rows = {row["measure"]: row for row in page.table("measures.csv")}
    assert rows["box: area"]["to change"] == "raise camera.fill"
    # Each change is asked for once, whatever number of measures ask for it.
    assert output.count("Raise camera.fill") == 1 and "The same say box: " in output
    main([*arguments, "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["features"]["separability"] > 0.9
    with pytest.raises(SystemExit):
        main(["gap", "--real", str(workshop), "--synthetic", str(workshop / "renders")])
    assert "not a data set" in capsys.readouterr().err


def test_the_page_opens_in_a_browser(browser: Any, tmp_path: Path) -> None:
    write_gap(_gap(tmp_path, light=60), tmp_path / "gap.html", "A <gap>")
    page = open_page(browser, tmp_path / "gap.html")
    assert page.title() == "A <gap>"
    for item in page.locator("details").all():
        item.locator("summary").click()
        assert item.locator("table").is_visible()
    assert page.problems == []
    page.close()
