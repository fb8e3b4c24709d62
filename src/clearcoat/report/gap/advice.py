"""What in a scene spec moves a measure: texts whose keys are marked, so that they can be checked.

`{light.exposure_ev}` is a key of the spec; `{light.environments=sky}` a name that it may hold,
which is printed as “sky”. A test resolves every one of them in the schema.
"""

from __future__ import annotations

import re

_REFERENCE = re.compile(r"\{([a-z0-9_.]+)(?:=([a-z_]+))?\}")

ADVICE: dict[str, tuple[str, str]] = {
    # measure -> what to do where renders have too much of it, too little of it
    "lightness": ("lower {light.exposure_ev}", "raise {light.exposure_ev}"),
    "contrast": (
        "more {light.environments=sky} and {light.environments=hall} in {light.environments}, "
        "less sun ({light.sun.probability})",
        "more sun ({light.sun.probability}) and stronger lamps ({light.lamps.strength})",
    ),
    "shadows": (
        "raise {light.exposure_ev}, or floors that throw light back ({backdrop.surface_albedo})",
        "more sun ({light.sun.probability}), darker floors ({backdrop.surface_albedo})",
    ),
    "highlights": (
        "lower {light.exposure_ev}; {render.tone_curve} {render.tone_curve=filmic}",
        "widen {light.exposure_ev} upwards",
    ),
    "colourfulness": (
        "greyer {paint.colors}, fewer {light.environments=busy} in {light.environments}",
        "more colourful {paint.colors}, more {light.environments=busy} in {light.environments}",
    ),
    "warmth": (
        "cooler environments in {light.hdri_folder}, more cloud ({light.sky.cloud_cover})",
        "warmer light: low sun ({light.sky.sun_elevation_deg}), lamps "
        "({light.lamps.temperature_k})",
    ),
    "sharpness": (
        "add {camera.depth_of_field} or {camera.motion}, or train with blur",
        "less blur: shorter {camera.exposure_s}, higher {camera.depth_of_field.f_number}",
    ),
    "noise": (
        "more light on the sensor ({sensor.light_lux}) or less gain ({sensor.gain_db})",
        "add sensor noise: give {sensor}, with less {sensor.light_lux} or more {sensor.gain_db}",
    ),
    "clutter": (
        "calmer surroundings: fewer {backdrop.modes=skybox} in {backdrop.modes} and fewer "
        "{light.environments=busy} in {light.environments}",
        "busier surroundings: {backdrop.modes=photo} or more {backdrop.modes=grounded} in "
        "{backdrop.modes}, things in front ({occluders.count})",
    ),
    "area": ("lower {camera.fill}", "raise {camera.fill}"),
    "share": (
        "widen {camera.azimuth_deg} to the sides that the photos show",
        "narrow {camera.azimuth_deg} to the sides that the photos show, or leave slivers "
        "unlabelled ({labels.least_share})",
    ),
    "height": ("lower {camera.fill}", "raise {camera.fill}"),
    "cut off": (
        "lower {camera.fill}, narrow {camera.shift_x} and {camera.shift_y}",
        "raise {camera.fill} above 1",
    ),
    "x": ("move {camera.shift_x} to the left", "move {camera.shift_x} to the right"),
    "y": (
        "lower {camera.shift_y}, or {camera.elevation_deg}",
        "raise {camera.shift_y}",
    ),
    **dict.fromkeys(
        ("top in outline", "bottom in outline"),
        (
            "lower {camera.elevation_deg} if several classes say so, else the part lies higher on "
            "the products of the photos",
            "raise {camera.elevation_deg} if several classes say so, else the part lies lower on "
            "the products of the photos",
        ),
    ),
    "frequency": (
        "narrow {camera.azimuth_deg} to the sides that the photos show",
        "widen {camera.azimuth_deg}, raise {camera.fill}; check that {classes.rules} give parts "
        "this class",
    ),
}
OF_PARTS = "{word} materials on the parts of {part} ({materials}, {paint.colors})"
"""What is said of a class whose parts have another lightness or colour than in the photos."""


def advice(measure: str, above: float) -> str:
    """Return what moves a measure (`class: key` of a class) towards the photos.

    `above` is the probability that a render has more of it than a photo.
    """
    part, _, key = measure.rpartition(": ")
    too_much, too_little = ADVICE[key]
    if part and key in ("lightness", "colourfulness"):
        words = ("darker", "lighter") if key == "lightness" else ("greyer", "more colourful")
        text = OF_PARTS.replace("{word}", words[above <= 0.5], 1)
        # Last, since a class may be called anything.
        return _printed(text.replace("{part}", "\0", 1)).replace("\0", part)
    return _printed(too_much if above > 0.5 else too_little)


def references(text: str) -> list[tuple[str, str | None]]:
    """Return the keys that a text names, each with the name that it is to hold, or None."""
    return [(match[1], match[2]) for match in _REFERENCE.finditer(text)]


def _printed(text: str) -> str:
    return _REFERENCE.sub(lambda match: f"“{match[2]}”" if match[2] else match[1], text)
