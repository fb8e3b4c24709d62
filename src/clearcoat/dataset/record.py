"""What one image of a data set is: in memory, and as its JSON file describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from clearcoat.dataset.labels import LabelRaster
from clearcoat.dataset.objects import ObjectEntry, ObjectPixels, PartPixels

FORMAT: Final = "clearcoat-dataset"
VERSION: Final = 1
IGNORE = "ignore"
BACKGROUND = "background"
BACKGROUND_NAMES = frozenset({BACKGROUND, "_background_"})
"""What label files call a pixel without a class."""
RESERVED_NAMES = frozenset({IGNORE, BACKGROUND})
"""Names that no class can have, since label sets and class maps give them a meaning."""


@dataclass(frozen=True)
class EncodedImage:
    """The bytes of an image file, stored as they are."""

    data: bytes
    suffix: Literal[".png", ".jpg"]


@dataclass(frozen=True, eq=False)
class Coverage:
    """How much of each pixel a class covers, for the classes that an image shows."""

    names: tuple[str, ...]
    """Names of classes, or `ignore`; once each."""
    share: NDArray[np.uint8]
    """(H, W, K): 255 is the whole pixel. Classes may overlap."""


@dataclass(frozen=True, eq=False)
class Record:
    """One labelled image."""

    index: int
    """Its number in the data set, from 0."""
    image: NDArray[np.uint8]
    """(H, W, 3), sRGB."""
    labels: LabelRaster
    """Of the image's height and width."""
    parts: NDArray[np.uint16] | None = None
    """(H, W): 0 is nothing, i is the (i - 1)-th of the data set's part names."""
    depth: NDArray[np.float32] | None = None
    """(H, W), metres along the viewing direction; infinite where nothing is hit."""
    behind: NDArray[np.uint16] | None = None
    """(H, W): as `parts`, seen through the panes that are looked through."""
    instances: NDArray[np.uint16] | None = None
    """(H, W): 0 is nothing, i is the (i - 1)-th of the data set's instance names."""
    normals: NDArray[np.float32] | None = None
    """(H, W, 3), unit length, camera frame (x right, y down, z forward); 0 where nothing is hit."""
    coverage: Coverage | None = None
    """Shares of the pixels that the classes cover; None where they were not measured."""
    objects: tuple[ObjectPixels, ...] | None = None
    """The objects in the frame, hidden ones included; None where they were not looked for."""
    part_pixels: tuple[PartPixels, ...] | None = None
    """The parts in the frame, hidden ones included; None where they were not looked for."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Whatever JSON can hold: camera, sampled values, annotations' ids."""
    source_name: str | None = None
    """What the image was called where it came from."""
    original: EncodedImage | None = None
    """A file that decodes to `image`, to be stored instead of a new encoding of it."""

    def __post_init__(self) -> None:
        if self.index < 0:
            raise ValueError(f"Record.index: expected 0 or more, got {self.index}")
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ValueError(
                f"Record.image: expected uint8 (H, W, 3), got {self.image.dtype} {self.image.shape}"
            )
        if not self.image.size:
            raise ValueError("Record.image: has no pixels")
        shape = self.image.shape[:2]
        if self.labels.shape != shape:
            raise ValueError(f"Record.labels: expected {shape}, got {self.labels.shape}")
        for name, array, dtype in (
            ("parts", self.parts, np.uint16),
            ("depth", self.depth, np.float32),
            ("behind", self.behind, np.uint16),
            ("instances", self.instances, np.uint16),
        ):
            if array is not None and (array.shape != shape or array.dtype != dtype):
                raise ValueError(
                    f"Record.{name}: expected {np.dtype(dtype)} {shape}, "
                    f"got {array.dtype} {array.shape}"
                )
        if self.normals is not None and (
            self.normals.shape != (*shape, 3) or self.normals.dtype != np.float32
        ):
            raise ValueError(
                f"Record.normals: expected float32 {(*shape, 3)}, "
                f"got {self.normals.dtype} {self.normals.shape}"
            )
        if self.coverage is not None and (
            self.coverage.share.shape != (*shape, len(self.coverage.names))
            or self.coverage.share.dtype != np.uint8
        ):
            raise ValueError(
                f"Record.coverage: expected uint8 {(*shape, len(self.coverage.names))}, "
                f"got {self.coverage.share.dtype} {self.coverage.share.shape}"
            )
        if self.depth is not None and not bool((self.depth > 0).all()):
            raise ValueError("Record.depth: expected positive metres or infinity")


_PLACE = (
    r"^(images|labels|parts|depth|behind|instances|normals|coverage)"
    r"/[A-Za-z0-9_-]+\.[a-z0-9]+$"
)


class _Stored(BaseModel):
    # Unknown keys are left alone, so that a later writer may add facts within a version.
    model_config = ConfigDict(frozen=True, extra="ignore")


class FileEntry(_Stored):
    """A file of a record."""

    file: Annotated[str, Field(pattern=_PLACE)]
    """Path below the data set's folder."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class LabelEntry(FileEntry):
    """The label file of a record, and what its values mean."""

    sets: tuple[tuple[str, ...] | Literal["ignore"], ...]
    """Class names per value of the file; an empty set is background."""
    pixels: tuple[int, ...]
    """Number of pixels per value of the file."""


class DepthEntry(FileEntry):
    """The depth file of a record."""

    unit_m: Annotated[float, Field(gt=0)]
    """Metres per step of the file's values."""


class CoverageEntry(FileEntry):
    """The coverage file of a record, and whose planes it has."""

    classes: Annotated[tuple[str, ...], Field(min_length=1)]
    """Class names, or `ignore`, from the top plane down."""


class RecordInfo(_Stored):
    """A record's JSON file: everything but the pixels."""

    index: Annotated[int, Field(ge=0)]
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]
    image: FileEntry
    labels: LabelEntry
    parts: FileEntry | None = None
    depth: DepthEntry | None = None
    behind: FileEntry | None = None
    instances: FileEntry | None = None
    normals: FileEntry | None = None
    coverage: CoverageEntry | None = None
    objects: tuple[ObjectPixels, ...] | None = None
    part_pixels: tuple[PartPixels, ...] | None = None
    source_name: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)

    @property
    def files(self) -> tuple[FileEntry, ...]:
        """The entries of the files that the record has."""
        entries = (
            *(self.image, self.labels, self.parts, self.depth),
            *(self.behind, self.instances, self.normals, self.coverage),
        )
        return tuple(entry for entry in entries if entry is not None)


class Manifest(_Stored):
    """`dataset.json`: what holds for every record."""

    format: Literal["clearcoat-dataset"] = FORMAT
    version: Literal[1] = VERSION
    classes: tuple[Annotated[str, Field(min_length=1)], ...]
    parts: tuple[str, ...] = ()
    """Names of the parts, in the order of their ids; empty where records have none."""
    instances: tuple[str, ...] = ()
    """Names of the instances, in the order of their ids; empty where records have none."""
    objects: tuple[ObjectEntry, ...] = ()
    """What records count as single objects; empty where they do not."""
    source: dict[str, Any] = Field(default_factory=dict)
    """Free facts: kind (synthetic or real), fingerprint, seed, product, command."""

    @model_validator(mode="after")
    def _classes_have_names_of_their_own(self) -> Manifest:
        for name in self.classes:
            if name in RESERVED_NAMES or self.classes.count(name) > 1:
                why = "has a meaning of its own" if name in RESERVED_NAMES else "stands there twice"
                raise ValueError(f"the class name {name!r} {why}")
        return self

    @model_validator(mode="after")
    def _objects_are_of_it(self) -> Manifest:
        for number, one in enumerate(self.objects):
            if one.class_name not in self.classes:
                raise ValueError(f"object {number} is of class {one.class_name!r}, not in classes")
            if max(one.parts, default=0) > len(self.parts):
                raise ValueError(
                    f"object {number} has part {max(one.parts)}, there are {len(self.parts)} parts"
                )
        return self
