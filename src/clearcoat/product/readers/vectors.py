"""Products of rows of vectors, without what NumPy's general functions cost for small parts.

A product has ten thousand parts of a few hundred triangles: the time goes into calls, not numbers.
"""

from __future__ import annotations

import numpy as np

from clearcoat.product.raw import Float64Array


def cross_rows(a: Float64Array, b: Float64Array) -> Float64Array:
    """(N, 3): cross products of the rows of two (N, 3) arrays."""
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    result = np.empty(a.shape)
    result[:, 0] = ay * bz - az * by
    result[:, 1] = az * bx - ax * bz
    result[:, 2] = ax * by - ay * bx
    return result


def squares_of_rows(rows: Float64Array) -> Float64Array:
    """(N,): squared lengths of the rows of an (N, 3) array."""
    x, y, z = rows.T
    squares: Float64Array = x * x + y * y + z * z
    return squares


def lengths_of_rows(rows: Float64Array) -> Float64Array:
    """(N,): lengths of the rows of an (N, 3) array."""
    lengths: Float64Array = np.sqrt(squares_of_rows(rows))
    return lengths


def cofactor_matrix(matrix: Float64Array) -> tuple[Float64Array, float]:
    """Return the (3, 3) cofactors of a matrix, and its determinant."""
    (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
    cofactors = [
        [e * i - f * h, f * g - d * i, d * h - e * g],
        [c * h - b * i, a * i - c * g, b * g - a * h],
        [b * f - c * e, c * d - a * f, a * e - b * d],
    ]
    determinant = a * cofactors[0][0] + b * cofactors[0][1] + c * cofactors[0][2]
    return np.array(cofactors), determinant
