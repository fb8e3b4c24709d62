"""Contact sheets: coarser pictures of the same scenes, from one process or several."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clearcoat.errors import SpecError, UsageError
from clearcoat.generation import Studio, load_scene
from clearcoat.generation.preview import Preview, Tile
from tests.generation.edits import change


def _drawn(preview: Preview, count: int) -> list[Tile]:
    return sorted(preview.tiles(count), key=lambda tile: tile.index)


@pytest.mark.parametrize("light", ["studio", "sky", "busy"])
def test_coarse_surroundings_show_the_same_scene(spec: Path, light: str) -> None:
    change(spec, "{studio: 1}", f"{{{light}: 1}}")
    change(spec, "{samples: 2}", "{samples: 16}")
    scene = load_scene(spec)
    fine, coarse = (
        Studio(replace(scene, coarse=coarse), (48, 48), 0).record(0) for coarse in (False, True)
    )
    assert coarse.metadata == fine.metadata
    assert coarse.parts is not None
    assert fine.parts is not None
    assert np.array_equal(coarse.parts, fine.parts)
    assert coarse.labels.same_as(fine.labels)
    # 8-bit levels; another image of this series is farther away than 20.
    assert np.abs(coarse.image.astype(float) - fine.image).mean() < 5


def test_small_pictures_alone_are_coarse(spec: Path) -> None:
    for size, coarse in ((32, True), (128, False)):
        preview = Preview(spec, size=size, seed=0, samples=1)
        (tile,) = preview.tiles(1)
        scene = load_scene(spec)
        settings = scene.spec.render.model_copy(update={"samples": 1})
        scene = replace(
            scene, spec=scene.spec.model_copy(update={"render": settings}), coarse=coarse
        )
        image = Studio(scene, (size, size), 0).record(0).image
        assert np.array_equal(tile.picture[:, :size], image)


def test_processes_draw_the_same_and_go_on_after_a_mistake(spec: Path) -> None:
    alone = Preview(spec, size=24, seed=0, samples=1)
    with closing(Preview(spec, size=24, seed=0, samples=1, workers=2)) as preview:
        tiles = _drawn(preview, 4)
        change(spec, "render: {samples: 2}", "render: {sample: 2}")
        for either in (alone, preview):
            with pytest.raises(SpecError, match="sample"):
                _drawn(either, 4)
        change(spec, "render: {sample: 2}", "render: {samples: 2}")
        again = _drawn(preview, 4)
    here = _drawn(alone, 4)
    assert [tile.index for tile in tiles] == [0, 1, 2, 3]
    for one, two, three in zip(tiles, again, here, strict=True):
        assert np.array_equal(one.picture, two.picture)
        assert np.array_equal(one.picture, three.picture)
    assert preview.sheet(again, 1).shape[1] >= 48


def test_a_sheet_shows_one_state_of_the_spec() -> None:
    picture = np.zeros((8, 16, 3), np.uint8)
    tiles = [Tile(index, picture, False, ("hood",), f"digest {index}") for index in range(2)]
    preview = Preview(Path("car.yaml"), size=8, seed=0, samples=1)
    with pytest.raises(UsageError, match="changed while it was drawn"):
        preview.sheet(tiles, 1)
    assert preview.sheet(tiles[:1], 1).shape[1] >= 16
