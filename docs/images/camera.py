"""Make camera.jpg: one picture, and what each row of docs/camera.md's table does to it.

python docs/images/camera.py
"""

from __future__ import annotations

import tempfile
from importlib.resources import files
from pathlib import Path

import yaml
from PIL import Image, ImageDraw, ImageFont

from clearcoat import Dataset, Job, generate

_SIZE = (300, 225)
_ENLARGED = (30, 70, 130, 145)
"""Part of the picture that shows grain and blocks: left, top, right, bottom in pixels."""
_SPEC = {
    "extends": str(files("clearcoat") / "generation" / "presets" / "family.yaml"),
    "product": {"builtin": "sedan", "seed": 5},
    "paint": {"colors": ["#7a1016"], "metallic": 0.3, "roughness": 0.3},
    "camera": {"azimuth_deg": 38, "elevation_deg": 6, "focal_mm": 35, "fill": 0.85},
    "light": {
        "environments": {"sky": 1, "hdri": 0, "studio": 0, "busy": 0},
        "exposure_ev": 0.3,
        "sun": {"probability": 0},
    },
    "backdrop": {"modes": {"surface": 1, "grounded": 0, "skybox": 0, "plain": 0}},
    "render": {"samples": 64},
}
_WIDE = {"k1": -0.3, "k2": 0.06}
_CLOSE = ("industrial, 24 dB", "phone, JPEG")
"""These are shown enlarged."""
_PICTURES: dict[str, dict[str, dict[str, object]]] = {
    "plain": {},
    "radial-tangential": {
        "camera": {"distortion": {"model": "radial_tangential", **_WIDE}, "focal_mm": 22}
    },
    "fisheye": {"camera": {"distortion": {"model": "fisheye", "k1": -0.02}, "focal_mm": 17}},
    "depth of field": {
        "camera": {"depth_of_field": {"f_number": 0.8, "focus_depth": 0.05}, "focal_mm": 70}
    },
    "motion of the camera": {
        "camera": {"exposure_s": 0.02, "motion": {"camera": {"yaw_deg_s": 250}}}
    },
    "motion of the product": {"camera": {"exposure_s": 0.02, "motion": {"product": {"x_m_s": 16}}}},
    "industrial, 24 dB": {"sensor": {"camera": "industrial", "gain_db": 24}},
    "phone, JPEG": {
        "sensor": {
            "camera": "phone",
            "gain_db": 18,
            "jpeg_quality": 30,
            "white_balance": [1.15, 0.85],
        }
    },
    "vignetting, blur, glare": {
        "sensor": {"vignetting": {"coefficients": [-0.35]}, "blur_sigma_px": 1.2, "glare": 0.02}
    },
}


def main() -> None:
    """Render the pictures and put them into one."""
    font = ImageFont.load_default(13)
    line, columns = 22, 3
    width, height = _SIZE[0] + 6, _SIZE[1] + line + 4
    rows = -(-len(_PICTURES) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), "white")
    draw = ImageDraw.Draw(sheet)
    with tempfile.TemporaryDirectory() as folder:
        for place, (name, changes) in enumerate(_PICTURES.items()):
            picture = _render(changes, Path(folder) / str(place))
            if name in _CLOSE:
                picture = picture.crop(_ENLARGED).resize(_SIZE, Image.Resampling.NEAREST)
            left, top = place % columns * width + 3, place // columns * height
            draw.text((left, top + 4), name, "black", font)
            sheet.paste(picture, (left, top + line))
    sheet.save(Path(__file__).with_suffix(".jpg"), quality=90)


def _render(changes: dict[str, dict[str, object]], folder: Path) -> Image.Image:
    folder.mkdir()
    spec = {**_SPEC}
    for key, values in changes.items():
        spec[key] = {**spec.get(key, {}), **values}  # type: ignore[dict-item]
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec))
    out = folder / "out"
    list(generate(Job(path, 3, _SIZE, out), range(1)))
    return Image.fromarray(Dataset.open(out).image(0))


if __name__ == "__main__":
    main()
