"""Colours of the charts, as who is colour-blind sees them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import TABLEAU_COLORS, to_rgb
from numpy.typing import NDArray

from clearcoat.report.charts import COLORS
from clearcoat.report.study import analyse_transfer, read_study
from clearcoat.report.study.transfer_figures import transfer_figures
from tests.report.study.ledgers import write_transfer

# Machado, Oliveira and Fernandes 2009 (doi 10.1109/TVCG.2009.113), severity 1.0, for linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "deuteranopia": np.array([
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]),
    "protanopia": np.array([
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]),
}  # fmt: skip
LIMIT = 17.0
"""CIELAB distance. A bar of Fig. 7 is about a quarter of a degree wide. At that size half of the
viewers notice a difference of 8 along L*, 12 along a* and 17 along b* (Stone, Szafir and Setlur,
Color and Imaging Conference 2014, 5.349 + 2.871/0.25): 17 is enough in whichever direction."""


def _lab(color: Any, vision: str) -> NDArray[np.float64]:
    """CIELAB (D65) of an sRGB colour as it is seen."""
    code = np.array(to_rgb(color))
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = to_xyz @ np.clip(VISIONS[vision] @ linear, 0, 1) / to_xyz.sum(axis=1)
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def _alike(colors: Sequence[Any], vision: str) -> set[tuple[Any, Any]]:
    seen = {color: _lab(color, vision) for color in colors}
    return {
        pair
        for pair in combinations(colors, 2)
        if np.linalg.norm(seen[pair[0]] - seen[pair[1]]) < LIMIT
    }


@pytest.mark.parametrize("vision", VISIONS)
def test_colors_are_told_apart(vision: str) -> None:
    assert not _alike(COLORS, vision)
    # Green and red of a usual palette are not, by who lacks the cones for green.
    usual = ("tab:green", "tab:red")
    assert set(usual) < set(TABLEAU_COLORS)
    assert bool(_alike(usual, vision)) == (vision == "deuteranopia")


def test_no_two_starts_have_one_look(tmp_path: Path) -> None:
    study = write_transfer(tmp_path, runs=2, efficientnet=True, mixes=(64, 1024, 4096))
    for drawn in transfer_figures(analyse_transfer(read_study(study))):
        score, time = drawn.figure.axes
        marks = [
            (line.get_color(), line.get_marker(), line.get_markerfacecolor())
            for line in score.lines
            if line.get_label()[0] != "_"
        ]
        assert len(set(marks)) == len(marks), drawn.name
        looks = [
            (bars[0].get_edgecolor(), bars[0].get_facecolor(), bars[0].get_hatch())
            for bars in time.containers
        ]
        assert len(looks) > 4
        assert len(set(looks)) == len(looks), drawn.name


def test_a_start_looks_alike_in_every_figure(tmp_path: Path) -> None:
    study = write_transfer(tmp_path, runs=2, efficientnet=True, mixes=(4096,))
    seen: dict[str, set[tuple[object, ...]]] = {}
    for drawn in transfer_figures(analyse_transfer(read_study(study))):
        for line in drawn.figure.axes[0].lines:
            look = (line.get_color(), line.get_marker(), line.get_markerfacecolor())
            seen.setdefault(str(line.get_label()), set()).add(look)
    starts = {name: looks for name, looks in seen.items() if not name.startswith("_")}
    assert len(starts) > 8 and all(len(looks) == 1 for looks in starts.values())
