"""Numbers that belong together: drawn as a group, each image anew.

A group replaces the distributions of its quantities, wherever in the spec they stand, by the
numbers that it drew for the image. What reads the spec afterwards finds plain numbers there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar, get_args

import numpy as np
from pydantic import BaseModel, Field, model_validator

from clearcoat.errors import SpecError, did_you_mean
from clearcoat.scene.distributions import Distribution, draw, draw_weighted, stream
from clearcoat.spec import Model

ModelT = TypeVar("ModelT", bound=BaseModel)


class JointNormal(Model):
    """A multivariate normal distribution."""

    of: Annotated[tuple[str, ...], Field(min_length=1)]
    """The quantities, by their place in the spec: `camera.azimuth_deg`."""
    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    """Symmetric, positive semi-definite; variances on its diagonal."""
    min: tuple[float | None, ...] | None = None
    """Least values; a draw outside is repeated."""
    max: tuple[float | None, ...] | None = None

    @model_validator(mode="after")
    def _fits(self) -> JointNormal:
        count = len(self.of)
        lengths = [len(self.mean), len(self.covariance), *map(len, self.covariance)]
        lengths += [len(limit) for limit in (self.min, self.max) if limit is not None]
        if any(length != count for length in lengths):
            raise SpecError(
                "joint normal: mean, covariance and limits need one entry per quantity",
                found=f"{count} quantities, lengths {lengths}",
            )
        matrix = np.array(self.covariance)
        if not np.allclose(matrix, matrix.T) or np.linalg.eigvalsh(matrix).min() < -1e-9 * max(
            1.0, float(np.abs(matrix).max())
        ):
            raise SpecError(
                "joint normal: not a covariance matrix",
                found=[list(row) for row in self.covariance],
                expected="symmetric and positive semi-definite",
            )
        # Here the spec's line is known, and nothing has been rendered yet.
        self.draw(np.random.default_rng(0))
        return self

    def draw(self, rng: np.random.Generator) -> dict[str, float]:
        """Draw the group.

        Raises SpecError where ten thousand draws found none between the limits.
        """
        none = (None,) * len(self.of)
        low = np.array([-math.inf if v is None else v for v in self.min or none])
        high = np.array([math.inf if v is None else v for v in self.max or none])
        values, vectors = np.linalg.eigh(np.array(self.covariance))
        # Columns up to a sign: fixed, so that other libraries of linear algebra draw the same.
        vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), range(len(self.of))])
        root = vectors * np.sqrt(np.maximum(values, 0))
        for _ in range(10_000):
            drawn = np.array(self.mean) + root @ rng.standard_normal(len(self.of))
            if (low <= drawn).all() and (drawn <= high).all():
                return dict(zip(self.of, map(float, drawn), strict=True))
        raise SpecError(
            "joint normal: none of 10,000 draws lies between the limits",
            found=f"min {list(self.min or none)}, max {list(self.max or none)}",
            do="move the limits to where the distribution has its values",
        )


class Joint(Model):
    """A group of quantities: one of several `rows`, or a multivariate `normal`."""

    rows: tuple[dict[str, Distribution], ...] | None = None
    """Each row gives the same quantities, by their place in the spec (`camera.azimuth_deg`), a
    number or a distribution. One row is drawn per image."""
    weights: tuple[Annotated[float, Field(ge=0)], ...] | None = None
    """Of the rows; by default equal."""
    normal: JointNormal | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Joint:
        if (self.rows is None) == (self.normal is None):
            raise SpecError("joint: give either rows or normal")
        if self.rows is not None:
            if not self.rows or any(row.keys() != self.rows[0].keys() for row in self.rows):
                raise SpecError(
                    "joint: every row must give the same quantities",
                    found=[sorted(row) for row in self.rows],
                )
            if self.weights is not None and (
                len(self.weights) != len(self.rows) or sum(self.weights) <= 0
            ):
                raise SpecError("joint: one weight per row, at least one above zero")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The quantities of the group."""
        if self.normal is not None:
            return self.normal.of
        return tuple(self.rows[0]) if self.rows else ()

    def draw(self, seed: int, index: int, attempt: int = 0) -> dict[str, float]:
        """Draw the group for image `index`; its streams are named after its quantities.

        A group with a quantity of the camera is drawn anew with every attempt at a pose.
        """
        name = "joint:" + ",".join(sorted(self.names))
        if attempt and any(quantity.startswith("camera.") for quantity in self.names):
            name += f"#{attempt}"
        if self.normal is not None:
            return self.normal.draw(stream(seed, index, name))
        rows = self.rows or ()
        weights = self.weights or (1.0,) * len(rows)
        places = {f"{place:06d}": weight for place, weight in enumerate(weights)}
        row = rows[int(draw_weighted(stream(seed, index, name), places))]
        return {key: draw(value, seed, index, f"{name}:{key}") for key, value in row.items()}


def resolve(
    model: ModelT, joints: Iterable[Joint], seed: int, index: int, attempt: int = 0
) -> ModelT:
    """Return the spec of image `index`: quantities of a group replaced by what was drawn."""
    for joint in joints:
        for name, value in joint.draw(seed, index, attempt).items():
            model = _replaced(model, name.split("."), value, name)
    return model


def check(model: BaseModel, joints: Iterable[Joint]) -> None:
    """Refuse groups that name what no image draws, or a quantity twice.

    Raises SpecError.
    """
    seen: set[str] = set()
    for joint in joints:
        for name in joint.names:
            if name in seen:
                raise SpecError(f"joint: {name} stands in two groups", do="put them together")
            seen.add(name)
            _replaced(model, name.split("."), 1.0, name)


def _replaced(node: Any, path: list[str], value: float, name: str) -> Any:
    """Return `node` with what is at `path` replaced, rebuilt along the way."""
    key, rest = path[0], path[1:]
    if isinstance(node, BaseModel):
        known = list(type(node).model_fields)
        if key not in known:
            raise SpecError(f"joint: no quantity {name!r}", do=did_you_mean(key, known))
        inner = getattr(node, key)
    elif isinstance(node, tuple) and key.isdigit() and int(key) < len(node):
        inner = node[int(key)]
    elif isinstance(node, Mapping) and key in node:
        inner = node[key]
    else:
        raise SpecError(
            f"joint: no quantity {name!r}",
            found=f"nothing at {key!r}",
            do="write out the key that the quantity belongs to, so that it is there to be drawn",
        )
    if rest:
        new: Any = _replaced(inner, rest, value, name)
    else:
        _check_drawn(node, key, name)
        new = value
    if isinstance(node, BaseModel):
        return node.model_copy(update={key: new})
    if isinstance(node, tuple):
        return (*node[: int(key)], new, *node[int(key) + 1 :])
    return {**node, key: new}


def _check_drawn(node: Any, key: str, name: str) -> None:
    """Refuse what no image draws: a number that is fixed for the series would stay as it is."""
    annotation = type(node).model_fields[key].annotation if isinstance(node, BaseModel) else None
    # Pydantic takes the discriminator off a field that is nothing but a distribution.
    if annotation != get_args(Distribution)[0] and Distribution not in get_args(annotation):
        raise SpecError(
            f"joint: {name} is not a number that is drawn for each image",
            do="group quantities that a distribution may stand for",
        )
