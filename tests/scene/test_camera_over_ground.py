"""A camera over a ground: it stays above it, and a small product stays in the picture."""

from __future__ import annotations

import numpy as np
import pytest

from clearcoat.scene import BackdropSpec, CameraSpec, SceneModel, Stage, sample

_CUBE = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0.0, 1.0)])


@pytest.mark.parametrize("elevation_deg", [-90.0, -20.0, 0.0, 0.5])
@pytest.mark.parametrize(("side_m", "least_m"), [(4.0, 0.1), (1.0, 0.05), (0.05, 0.0025)])
def test_from_below_the_camera_looks_down_from_as_low_as_the_ground_allows(
    side_m: float, least_m: float, elevation_deg: float
) -> None:
    model = SceneModel(
        camera=CameraSpec.model_validate(
            {"elevation_deg": elevation_deg, "fill": 0.5, "shift_x": 0.0, "shift_y": 0.1}
        ),
        backdrop=BackdropSpec(modes={"grounded": 1}),
    )
    stage = Stage(points_m=_CUBE * side_m)
    for index in range(5):
        camera = sample(model, stage, 0, index, aspect=1.0).camera
        height = camera.pose.position_m[2]
        assert height >= least_m
        if camera.elevation_deg > elevation_deg + 1e-6:
            assert height == pytest.approx(least_m, rel=0.02)
        local = np.c_[stage.points_m, np.ones(8)] @ camera.pose.camera_from_world.T
        assert local[:, 2].min() > 0
        seen = camera.intrinsics.shares(local[:, :2] / local[:, 2:3])
        assert np.ptp(seen, axis=0).max() == pytest.approx(0.5, abs=1e-3)
        assert (seen.min(axis=0) + seen.max(axis=0)) / 2 == pytest.approx([0.5, 0.6], abs=2e-3)
