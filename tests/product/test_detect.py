"""Guesses of unit and axes, each with its reason."""

from __future__ import annotations

import numpy as np
import pytest

from clearcoat.product.detect import complete


@pytest.mark.parametrize(
    ("extents", "usual", "expected"),
    [
        # A car in millimetres, z up, along x; the same y up, along z; in metres, along -x or x.
        ((4900, 1900, 1400), "y", (0.001, "z", "x")),
        ((1900, 1400, 4900), "z", (0.001, "y", "z")),
        ((4.9, 1.4, 1.9), "z", (1.0, "y", "x")),
        # A bracket about as high as wide: the format's habit decides.
        ((180, 150, 150), "y", (0.001, "y", "x")),
        ((180, 150, 150), "z", (0.001, "z", "x")),
        ((100, 200, 190), "z", (0.001, "z", "y")),
    ],
)
def test_guesses(extents: tuple[float, ...], usual: str, expected: tuple[float, str, str]) -> None:
    guess = complete(np.array(extents), unit_m=None, up=None, front=None, usual_up=usual)
    assert (guess.unit_m, guess.up, guess.front) == expected
    assert len(guess.notes) == 3
    assert all("assumed" in note and "correct it with" in note for note in guess.notes)


def test_what_is_given_is_not_guessed() -> None:
    size = np.array([100.0, 10.0, 1.0])
    given = complete(size, unit_m=0.5, up="-x", front="y", usual_up="z")
    assert (given.unit_m, given.up, given.front, given.notes) == (0.5, "-x", "y", ())
    # A given front is not taken for up, whatever the extents say.
    guess = complete(size, unit_m=1.0, up=None, front="z", usual_up="z")
    assert (guess.up, guess.front) == ("y", "z")
