"""IGES: small files written after the standard; a quarter cylinder has a known shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clearcoat.errors import ProductError
from clearcoat.product import Tessellation, read


def iges(unit: int = 2, name: str = "MM", color: int = 2) -> str:
    """A quarter of a cylinder of radius 10 and height 20 (entity 120 of two lines, 110)."""
    entities = [
        (110, "110,0.,0.,0.,0.,0.,1.;"),
        (110, "110,10.,0.,0.,10.,0.,20.;"),
        (120, "120,1,3,0.,1.5707963267948966;"),
    ]
    start = [f"{'made for a test':<72}S{1:>7}"]
    values = f"1H,,1H;,4Htest,8Htest.igs,1Ha,1Hb,32,38,6,308,15,4Htest,1.,{unit},"
    values += f"{len(name)}H{name},1,0.1,13H261124.120000,1E-6,100.,1Ha,1Ho,11,0;"
    global_ = [f"{values[i : i + 72]:<72}G{i // 72 + 1:>7}" for i in range(0, len(values), 72)]
    directory, parameters = [], []
    for number, (kind, text) in enumerate(entities):
        pointer, own = number + 1, 2 * number + 1
        status = "00000000" if kind == 120 else "00010000"
        first = [kind, pointer, 0, 0, 0, 0, 0, 0]
        second = [kind, 0, color, 1, 0, "", "", f"E{number}", 0]
        directory.append("".join(f"{value:>8}" for value in first) + f"{status:>8}D{own:>7}")
        directory.append("".join(f"{value:>8}" for value in second) + f"D{own + 1:>7}")
        parameters.append(f"{text:<64}{own:>8}P{pointer:>7}")
    counts = f"S{1:>7}G{len(global_):>7}D{len(directory):>7}P{len(parameters):>7}"
    end = [f"{counts:<72}T{1:>7}"]
    return "\n".join([*start, *global_, *directory, *parameters, *end]) + "\n"


def test_a_curved_surface_is_smooth_and_of_the_files_size(tmp_path: Path) -> None:
    path = tmp_path / "quarter.igs"
    for unit, name, metres in ((2, "MM", 0.001), (1, "IN", 0.0254)):
        path.write_text(iges(unit, name))
        product = read(path, up="z", front="x", tessellation=Tessellation(angular_deg=5))
        assert product.unit_m == metres
        low, high = product.bounds_m
        np.testing.assert_allclose(high - low, np.array([10, 10, 20]) * metres, rtol=1e-5)
        (part,) = product.parts
        assert any("one part without names" in note for note in product.notes)
        mesh = part.mesh
        assert mesh.normals is not None
        # The axis lies at a corner of the bounds; normals point along or against the radius.
        radial = mesh.vertices[:, :2] / (10 * metres) + 0.5
        np.testing.assert_allclose(np.linalg.norm(radial, axis=1), 1, atol=1e-4)
        along = np.einsum("ij,ij->i", mesh.normals[:, :2], radial)
        np.testing.assert_allclose(np.abs(along), 1, atol=1e-3)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "part.iges"
    text = iges()
    for content, what in (
        ("nonsense", "not an IGES file"),
        (text[:500], "truncated|not an IGES"),
        (text.replace("120,1,3", "120,1,99"), "cannot be read|no geometry"),
    ):
        path.write_text(content)
        with pytest.raises(ProductError, match=what) as caught:
            read(path)
        assert caught.value.where == str(path)
