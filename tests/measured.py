"""Measured BRDF files that tests make for themselves."""

from __future__ import annotations

import math
import struct

import numpy as np

_UINT8, _FLOAT32 = 1, 10


def lambertian(albedo: float) -> dict[str, np.ndarray]:
    """Constant in every direction, cosine included: its furnace value is that of `albedo`."""
    theta_i = np.linspace(0, np.pi / 2, 4, dtype=np.float32)
    phi_i = np.array([0, 2 * np.pi], np.float32)
    flat = np.ones((2, 4, 8, 8), np.float32)
    return {
        "description": np.frombuffer(b"made by a test", np.uint8),
        "theta_i": theta_i,
        "phi_i": phi_i,
        "ndf": np.ones((8, 8), np.float32),
        "sigma": np.ones((8, 8), np.float32),
        "vndf": flat,
        "luminance": flat,
        "rgb": np.full((2, 4, 3, 8, 8), albedo / (2 * math.pi), np.float32),
        "jacobian": np.zeros(1, np.uint8),
    }


def tensor_file(fields: dict[str, np.ndarray]) -> bytes:
    entries = [(name.encode(), array) for name, array in fields.items()]
    head = 12 + 2 + 4 + sum(2 + len(name) + 11 + 8 * array.ndim for name, array in entries)
    table, data = b"", b""
    for name, array in entries:
        kind = _UINT8 if array.dtype == np.uint8 else _FLOAT32
        table += struct.pack("<H", len(name)) + name
        table += struct.pack("<HBQ", array.ndim, kind, head + len(data))
        table += struct.pack(f"<{array.ndim}Q", *array.shape)
        data += array.tobytes()
    return struct.pack("<12s2BI", b"tensor_file\0", 1, 0, len(entries)) + table + data
