"""What in a scene spec moves a measure: texts whose keys are marked, so that they can be checked.

`{light.exposure_ev}` is a key of the spec; `{light.environments=sky}` a name that it may hold,
which is printed as “sky”. A test resolves every one of them in the schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

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
        "more blur: raise {sensor.blur_sigma_px} or lower {sensor.jpeg_quality}, or add "
        "{camera.depth_of_field} or {camera.motion}",
        "less blur: lower {sensor.blur_sigma_px}; if the spec has {camera.motion}, shorten "
        "{camera.exposure_s}; if it has {camera.depth_of_field}, raise "
        "{camera.depth_of_field.f_number}",
    ),
    "noise": (
        "less noise: {render.denoise} or more {render.samples}; if the spec has {sensor}, more "
        "{sensor.light_lux}, less {sensor.gain_db} or lower {sensor.jpeg_quality}",
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
        "widen or shift {camera.azimuth_deg} towards the sides that show {rare}, raise "
        "{camera.fill}; check that {classes.rules} give parts these classes",
    ),
}
WIDEN: dict[str, str] = {
    # measure -> what to do where renders vary less in it than photos
    "lightness": "widen {light.exposure_ev}",
    "contrast": "more kinds of light: {light.environments}, {light.sun.probability} nearer to a "
    "half, wider {light.lamps.strength}",
    "shadows": "widen {light.exposure_ev} and {backdrop.surface_albedo}",
    "highlights": "widen {light.exposure_ev}",
    "colourfulness": "widen {paint.colors}; more kinds of {light.environments}",
    "warmth": "widen {light.lamps.temperature_k} and {light.sky.sun_elevation_deg}",
    "sharpness": "widen {sensor.blur_sigma_px}; if the spec has {camera.motion}, "
    "{camera.exposure_s}; if it has {camera.depth_of_field}, {camera.depth_of_field.f_number}",
    "noise": "if the spec has {sensor}, widen {sensor.gain_db} or {sensor.light_lux}, else add it",
    "clutter": "more kinds of surroundings: {backdrop.modes}, {light.environments}, wider "
    "{occluders.count}",
    "area": "widen {camera.fill}",
    "share": "widen {camera.azimuth_deg}",
    "height": "widen {camera.fill}",
    "x": "widen {camera.shift_x}",
    "y": "widen {camera.shift_y} and {camera.elevation_deg}",
    "top in outline": "widen {camera.elevation_deg}",
    "bottom in outline": "widen {camera.elevation_deg}",
}
TOWARDS = "widen or shift {camera.azimuth_deg} towards the sides that show {rare}"
"""Said in place of narrowing the sides while renders show a class too seldom."""
_OF_PARTS = ("lightness", "colourfulness")
OF_PARTS = "{word} materials on the parts of {part} ({materials}, {paint.colors})"
"""What is said of a class whose parts have another lightness or colour than in the photos."""
_OF_CAMERA = ("area", "height", "x", "y", "top in outline", "bottom in outline")
"""Measures of a class that one setting of the camera moves alike for all classes."""


def advice(measure: str, above: float, rare: Sequence[str] = ()) -> str:
    """Return what moves a measure (`class: key` of a class) towards the photos.

    `above` is the probability that a render has more of it than a photo, `rare` are the classes
    that renders show too seldom.
    """
    part, _, key = measure.rpartition(": ")
    too_much, too_little = ADVICE[key]
    if part and key in _OF_PARTS:
        words = ("darker", "lighter") if key == "lightness" else ("greyer", "more colourful")
        return _of_parts(words[above <= 0.5], part)
    text = too_much if above > 0.5 else too_little
    if rare and text.startswith("narrow {camera.azimuth_deg}"):
        text = TOWARDS
    return _printed(text, ", ".join(rare or (part,)))


def widening(measure: str) -> str:
    """Return what makes renders vary more in a measure (`class: key` of a class)."""
    part, _, key = measure.rpartition(": ")
    return _of_parts("more varied", part) if part and key in _OF_PARTS else _printed(WIDEN[key])


def settled(shifted: Mapping[str, float]) -> dict[str, str]:
    """Return what to do in place of `advice` where classes ask for opposite things.

    `shifted` has measures of classes (`class: key`) and the probability that a render has more.
    One camera cannot do both, so it is not the camera that is wrong.
    """
    asked: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    for measure, above in shifted.items():
        part, _, key = measure.rpartition(": ")
        if part and key in _OF_CAMERA:
            asked.setdefault(ADVICE[key], ([], []))[above <= 0.5].append(measure)
    found: dict[str, str] = {}
    for (less, _), (many, few) in asked.items():
        if many and few:
            keys = " and ".join(dict.fromkeys(f"{{{name}}}" for name, _ in references(less)))
            text = _printed(f"leave {keys}, on which classes disagree: ") + (
                f"renders have more than photos of {', '.join(many)}, but less of "
                f"{', '.join(few)}. Compare these parts of the CAD with those on the photos"
            )
            found |= dict.fromkeys((*many, *few), text)
    return found


def _of_parts(word: str, part: str) -> str:
    return _printed(OF_PARTS.replace("{word}", word, 1).replace("{part}", "{rare}", 1), part)


def references(text: str) -> list[tuple[str, str | None]]:
    """Return the keys that a text names, each with the name that it is to hold, or None."""
    return [(match[1], match[2]) for match in _REFERENCE.finditer(text)]


def _printed(text: str, names: str = "") -> str:
    """Print the keys, and for {rare} the names of classes: last, for they may be anything."""
    before, _, after = text.partition("{rare}")
    plain = [
        _REFERENCE.sub(lambda match: f"“{match[2]}”" if match[2] else match[1], side)
        for side in (before, after)
    ]
    return names.join(plain) if "{rare}" in text else plain[0]
