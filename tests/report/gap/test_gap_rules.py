"""When a difference is told, on measures drawn from known distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clearcoat.report.gap.compare import Gap, compare_datasets, find_slivers
from clearcoat.report.gap.measures import CLASS_MEASURES, MEASURES, Measured
from clearcoat.report.gap.page import as_json, gap_table, headline, held_sentence, sentences

CLASSES = ("box", "lid")


def measured(count: int, seed: int, classes: tuple[str, ...] = CLASSES) -> Measured:
    """All measures uniform on 0 to 1, all classes in all images and never cut off."""
    random = np.random.default_rng(seed)
    of_class = {(name, key): random.random(count) for name in classes for key in CLASS_MEASURES}
    for name in classes:
        of_class[name, "cut off"][:] = 0
    return Measured(
        "set",
        classes,
        tuple(range(count)),
        {name: random.random(count) for name in MEASURES},
        {name: np.ones(count, dtype=np.bool_) for name in classes},
        of_class,
    )


def _hide(one: Measured, name: str, shown: int) -> None:
    """Leave a class in the first `shown` images."""
    one.present[name][shown:] = False
    for key in CLASS_MEASURES:
        one.of_class[name, key] = one.of_class[name, key][:shown]


def _found(gap: Gap) -> dict[str, Any]:
    return {difference.measure: difference for difference in gap.differences}


def test_masks_of_one_population_are_seldom_called_slivers() -> None:
    alarms = 0
    for seed in range(60):
        classes = tuple("abcdefgh")
        photos, renders = measured(30, 2 * seed, classes), measured(200, 2 * seed + 1, classes)
        alarms += bool(find_slivers(photos, renders))
    # The smallest of 30 masks, taken as exact, gave one in half of the comparisons.
    assert alarms <= 6


@pytest.mark.parametrize("count", [30, 60, 200])
def test_planted_slivers_are_found_and_contradict_no_headline(count: int) -> None:
    photos, renders = measured(count, 0), measured(200, 1)
    photos.of_class["lid", "share"][:] = np.linspace(0.2, 1, count)
    renders.of_class["lid", "share"][:] = np.linspace(0.05, 1, 200)
    gap = compare_datasets(photos, renders, 64)
    assert [one.name for one in gap.slivers] == ["lid"]
    assert not gap.notable
    assert headline(gap).startswith("No measure differs surely enough to act upon, but renders")


def test_a_class_that_renders_never_show_is_told_as_shares() -> None:
    photos, renders = measured(200, 0), measured(200, 1)
    _hide(photos, "lid", 50)
    _hide(renders, "lid", 0)
    gap = compare_datasets(photos, renders, 64)
    found = _found(gap)["lid: frequency"]
    # A quarter against none: only 62 % of pairs, but Cohen's h is 2 asin(√0.25) = π / 3.
    assert found.above == pytest.approx(0.375)
    assert found.cohens_h == pytest.approx(-np.pi / 3)
    assert found.notable and found.covered is None
    (told,) = (text for text in sentences(gap) if "lid: frequency" in text)
    assert "share 25 % of the photos and 0 % of the renders" in told
    assert "median" not in told and "pairs" not in told and "range" not in told
    (row,) = (row for row in gap_table(gap).rows if row[0] == "lid: frequency")
    assert row[2:4] == row[5:7] == (None, None)
    assert as_json(gap)["headline"].endswith(
        "share 25 % of the photos and 0 % of the renders."
    ) == (gap.notable[0] == found)


def test_two_shares_near_each_other_are_left_alone() -> None:
    photos, renders = measured(400, 0), measured(400, 1)
    _hide(photos, "lid", 240)
    _hide(renders, "lid", 300)
    found = _found(compare_datasets(photos, renders, 64))["lid: frequency"]
    assert found.p_value < 0.01 and not found.notable


def test_a_few_images_that_look_apart_are_called_unsure() -> None:
    photos, renders = measured(4, 0), measured(4, 1)
    gap = compare_datasets(photos, renders, 64)
    apart = sum(d.large for d in gap.differences)
    assert apart > 0
    assert headline(gap).startswith(
        f"Nothing is sure with 4 photos and 4 renders; {apart} of {len(gap.differences)} measures"
    )
    many = compare_datasets(measured(200, 0), measured(200, 1), 64)
    assert headline(many).startswith("No difference to act upon: none of ")


def test_rounding_errors_are_no_difference() -> None:
    photos, renders = measured(30, 0), measured(30, 1)
    photos.images["contrast"][:], renders.images["contrast"][:] = 2e-14, 0
    photos.images["shadows"][:], renders.images["shadows"][:] = 0.3, 0.1 + 0.2
    found = _found(compare_datasets(photos, renders, 64))
    for name in ("contrast", "shadows"):
        assert found[name].above == 0.5 and found[name].p_value is None


def test_a_range_that_is_too_narrow_is_to_be_widened() -> None:
    photos, renders = measured(200, 0), measured(200, 1)
    renders.images["lightness"][:] = 0.5 + 0.1 * (renders.images["lightness"] - 0.5)
    # As is decided on two decimals of L*.
    for one in (photos, renders):
        one.images["lightness"][:] *= 100
    gap = compare_datasets(photos, renders, 64)
    (found,) = gap.notable
    assert found.measure == "lightness" and not found.shifted
    assert found.advice == "widen light.exposure_ev"
    (told,) = sentences(gap)
    assert "holds 9 % of the photos" in told or "holds 10 % of the photos" in told, told


def test_a_range_that_holds_the_photos_is_not_moved() -> None:
    photos, renders = measured(200, 0), measured(200, 1)
    photos.images["sharpness"][:] = 0.1 + 0.2 * photos.images["sharpness"]
    gap = compare_datasets(photos, renders, 64)
    found = _found(gap)["sharpness"]
    assert found.shifted and found.held and not found.notable and not found.advice
    assert headline(gap).startswith("No difference to act upon: 1 of ")
    assert "sharpness" in held_sentence(gap)


@pytest.mark.parametrize(("photos", "renders"), [(400, 5), (200, 20), (20, 200), (100, 100)])
def test_ranges_of_one_population_are_seldom_called_narrow(photos: int, renders: int) -> None:
    alarms = 0
    for seed in range(15):
        gap = compare_datasets(measured(photos, 2 * seed), measured(renders, 2 * seed + 1), 64)
        alarms += any(difference.narrow for difference in gap.differences)
    assert alarms <= 2


def test_sides_are_not_narrowed_while_a_class_is_too_rare() -> None:
    photos, renders = measured(200, 0), measured(200, 1)
    _hide(photos, "box", 60)
    assert "narrow camera.azimuth_deg" in " ".join(
        d.advice for d in compare_datasets(photos, renders, 64).notable
    )
    _hide(renders, "lid", 40)
    found = _found(compare_datasets(photos, renders, 64))
    assert found["box: frequency"].advice == (
        "widen or shift camera.azimuth_deg towards the sides that show lid"
    )
    assert found["lid: frequency"].advice.startswith(found["box: frequency"].advice)


def test_classes_that_disagree_about_the_camera_leave_it_alone() -> None:
    photos, renders = measured(200, 0), measured(200, 1)
    renders.of_class["box", "area"][:] += 0.5
    (told,) = sentences(compare_datasets(photos, renders, 64))
    assert told.startswith("Lower camera.fill. box: area")
    renders.of_class["lid", "height"][:] -= 0.6
    (told,) = sentences(compare_datasets(photos, renders, 64))
    assert told.startswith(
        "Leave camera.fill, on which classes disagree: renders have more than photos of "
        "box: area, but less of lid: height. Compare these parts of the CAD"
    )
