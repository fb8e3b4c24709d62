"""Which parameters of an IGES entity point at others, and how many parameters it has.

IGES marks no pointers: only the definition of each entity type tells them from numbers (IGES 5.3,
chapter 4). What follows the last parameter are pointers to associativities and properties.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

GROUP_FORMS = (1, 7, 14, 15)
"""Forms of entity 402 that are plain groups."""


@dataclass(frozen=True)
class Layout:
    """Positions count from the parameter behind the entity type."""

    pointers: tuple[int, ...]
    """Positions of pointers to directory entries, in order."""
    count: int
    """Number of parameters; further ones are pointers to associativities and properties."""


def layout(kind: int, form: int, parameters: Sequence[bytes]) -> Layout | None:
    """Return where an entity's pointers stand; None for types that no surface is made of."""
    pointers: Iterable[int]
    if kind in _FIXED:
        pointers, count = _FIXED[kind]
    elif kind in _PARAMETRISED:
        pointers, unparametrised = _PARAMETRISED[kind]
        count = pointers[-1] + 1 if form == 1 else unparametrised
    elif is_known(kind, form):
        pointers, count = _COUNTED[kind](parameters)
    else:
        return None
    count = min(count, len(parameters))
    return Layout(tuple(place for place in pointers if place < count), count)


def is_known(kind: int, form: int) -> bool:
    """Whether surfaces are made of entities of this type, or structures of them."""
    if kind == 402:
        return form in GROUP_FORMS
    return kind in _FIXED or kind in _PARAMETRISED or kind in _COUNTED


def integer(parameters: Sequence[bytes], place: int) -> int:
    """Return a parameter as an integer; 0 where it is absent, empty or none."""
    try:
        return int(parameters[place])
    except (IndexError, ValueError):
        return 0


def real(parameters: Sequence[bytes], place: int, default: float) -> float:
    """Return a parameter as a number; Fortran's double precision may be written with D."""
    try:
        return float(parameters[place].replace(b"D", b"E").replace(b"d", b"e"))
    except (IndexError, ValueError):
        return default


_Found = tuple[Iterable[int], int]

# Type: positions of pointers, number of parameters. Of a point (116) only the coordinates.
_FIXED: dict[int, tuple[tuple[int, ...], int]] = {
    **{100: ((), 7), 104: ((), 11), 108: ((4,), 9), 110: ((), 6), 116: ((), 3), 118: ((0, 1), 4)},
    **{120: ((0, 1), 4), 122: ((0,), 4), 123: ((), 3), 124: ((), 12), 130: ((0, 2), 14)},
    **{140: ((4,), 5), 142: ((1, 2, 3), 5), 314: ((), 4), 408: ((0,), 5), 430: ((0,), 1)},
}
# Form 1 has a reference direction more than form 0: pointers, number of parameters in form 0.
_PARAMETRISED: dict[int, tuple[tuple[int, ...], int]] = {
    **{190: ((0, 1, 2), 2), 192: ((0, 1, 3), 3), 194: ((0, 1, 4), 4), 196: ((0, 2, 3), 2)},
    **{198: ((0, 1, 4), 4)},
}


def _counter(p: Sequence[bytes], place: int) -> int:
    # No count can be true that is larger than the parameters are many.
    return min(max(integer(p, place), 0), len(p))


def _listed(at: int) -> Callable[[Sequence[bytes]], _Found]:
    """Return the layout of a count at `at` with as many pointers behind it."""

    def found(p: Sequence[bytes]) -> _Found:
        end = at + 1 + _counter(p, at)
        return range(at + 1, end), end

    return found


def _copious(p: Sequence[bytes]) -> _Found:
    kind, points = integer(p, 0), _counter(p, 1)
    return (), {1: 3 + 2 * points, 2: 2 + 3 * points}.get(kind, 2 + 6 * points)


def _spline_surface(p: Sequence[bytes]) -> _Found:
    m, n = _counter(p, 2), _counter(p, 3)
    return (), 4 + (m + 1) + (n + 1) + 48 * (m + 1) * (n + 1)


def _nurbs_curve(p: Sequence[bytes]) -> _Found:
    return (), 17 + 5 * _counter(p, 0) + _counter(p, 1)


def _nurbs_surface(p: Sequence[bytes]) -> _Found:
    k1, k2, m1, m2 = (_counter(p, place) for place in range(4))
    return (), 9 + (k1 + m1 + 2) + (k2 + m2 + 2) + 4 * (k1 + 1) * (k2 + 1) + 4


def _boundary(p: Sequence[bytes]) -> _Found:
    pointers, place = [2], 4
    for _ in range(_counter(p, 3)):
        if place >= len(p):
            break
        curves = _counter(p, place + 2)
        pointers += [place, *range(place + 3, place + 3 + curves)]
        place += 3 + curves
    return pointers, place


def _bounded_surface(p: Sequence[bytes]) -> _Found:
    end = 3 + _counter(p, 2)
    return (1, *range(3, end)), end


def _trimmed_surface(p: Sequence[bytes]) -> _Found:
    end = 4 + _counter(p, 2)
    return (0, *range(3, end)), end


def _assembly(p: Sequence[bytes]) -> _Found:
    end = 1 + 2 * _counter(p, 0)
    return range(1, end), end


def _solid(p: Sequence[bytes]) -> _Found:
    end = 3 + 2 * _counter(p, 2)
    return (0, *range(3, end, 2)), end


def _edges(p: Sequence[bytes]) -> _Found:
    edges = _counter(p, 0)
    starts = range(1, 1 + 5 * edges, 5)
    return [start + step for start in starts for step in (0, 1, 3)], 1 + 5 * edges


def _loop(p: Sequence[bytes]) -> _Found:
    pointers, place = [], 1
    for _ in range(_counter(p, 0)):
        if place >= len(p):
            break
        curves = _counter(p, place + 4)
        pointers += [place + 1, *range(place + 6, place + 5 + 2 * curves, 2)]
        place += 5 + 2 * curves
    return pointers, place


def _face(p: Sequence[bytes]) -> _Found:
    end = 3 + _counter(p, 1)
    return (0, *range(3, end)), end


def _shell(p: Sequence[bytes]) -> _Found:
    end = 1 + 2 * _counter(p, 0)
    return range(1, end, 2), end


_COUNTED: dict[int, Callable[[Sequence[bytes]], _Found]] = {
    102: _listed(0),
    106: _copious,
    112: lambda p: ((), 17 + 13 * _counter(p, 3)),
    114: _spline_surface,
    126: _nurbs_curve,
    128: _nurbs_surface,
    141: _boundary,
    143: _bounded_surface,
    144: _trimmed_surface,
    184: _assembly,
    186: _solid,
    308: _listed(2),
    402: _listed(0),
    502: lambda p: ((), 1 + 3 * _counter(p, 0)),
    504: _edges,
    508: _loop,
    510: _face,
    514: _shell,
}
