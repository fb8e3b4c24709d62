"""Everything that a spec stands for, loaded: product, classes, materials, stage."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat import __version__, vehicles
from clearcoat.errors import RenderError, SpecError, did_you_mean
from clearcoat.generation import family, moving
from clearcoat.generation.objects import ObjectTable, object_table
from clearcoat.generation.scene_materials import material_facts, scene_materials
from clearcoat.generation.scene_spec import SceneSpec
from clearcoat.materials import Material
from clearcoat.product import (
    FAMILY,
    ClassMap,
    Product,
    drop_parts,
    instances,
    load_file_product,
    resolve_classes,
)
from clearcoat.render import Renderer, State, list_hdris, list_photos
from clearcoat.scene import Stage
from clearcoat.scene.distributions import KINDS
from clearcoat.spec import digest
from clearcoat.spec.document import Document, parse, read
from clearcoat.spec.paths import expanded


@dataclass(frozen=True, eq=False)
class Loaded:
    """A product as it was read, with what takes long to find out about it."""

    product: Product
    stamp: tuple[object, ...]
    """What it was read from: equal stamps, equal products."""
    outline_m: NDArray[np.float64]
    """As `outline_points`."""
    geometry: str
    """As `geometry_digest`."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A spec with everything it refers to."""

    spec: SceneSpec
    product: Product
    """With `builtin: family`, the catalogue of its parts, until `at` says which vehicle."""
    classes: ClassMap
    materials: tuple[Material, ...]
    stage: Stage
    hdri_folder: Path | None
    photo_folder: Path | None
    digest: str
    """Of the spec and of the files that decide what is drawn."""
    part_ids: NDArray[np.uint16] | None = None
    """(1 + number of the product's parts,): the catalogue's number of each, 0 for nothing; None
    where the product is its own catalogue."""
    cast: family.Role | None = None
    """Which vehicle of the family this is."""
    company: tuple[Material, ...] = ()
    """The materials of the whole family, where this is one vehicle of it."""
    occluder_models: tuple[tuple[Product, tuple[Material, ...]], ...] = ()
    """Objects that stand around the product, with their materials."""
    state_models: moving.Models = field(default_factory=dict)
    """Parts of other files that states fit."""
    loaded: Loaded | None = None
    """The product as it was read, for the next reading of the spec; None for a family."""
    coarse: bool = False
    """Whether environment and ground have half the resolution, to be drawn sooner."""

    @property
    def images_per_product(self) -> int | None:
        """How many images in a row show one product; None: all of them."""
        drawn = self.spec.product.builtin == FAMILY
        return self.spec.product.images_per_vehicle if drawn else None

    def at(self, seed: int, index: int, *, last: Scene | None = None) -> Scene:
        """Return the scene of one image: this one, or that of the vehicle which it shows.

        What rules say of the vehicle's parts is what they say of the catalogue's, by `part_ids`.
        `last`, the scene of another image, is returned again where it shows the same vehicle.
        """
        if self.images_per_product is None:
            return self
        cast = family.role(self.spec.product, seed, index)
        if last is not None and last.cast == cast:
            return last
        return self._showing(family.build(self.spec.product, cast), cast)

    def going_on_from(self, last: Scene) -> Scene | None:
        """Return this scene with what `last`, another reading's, shows; None if it never does."""
        if self.images_per_product is None:
            return self
        if last.cast is None or last.spec.product != self.spec.product:
            return None
        return self._showing(last.product, last.cast)

    def _showing(self, product: Product, cast: family.Role) -> Scene:
        ids = family.part_ids(product, self.product)
        return replace(
            self,
            product=product,
            materials=tuple(self.materials[number - 1] for number in ids[1:]),
            stage=replace(self.stage, points_m=outline_points(product)),
            part_ids=ids,
            cast=cast,
            company=self.materials,
        )

    @property
    def own_classes(self) -> ClassMap:
        """The classes of this product's parts: where it is one of a family, not the catalogue's."""
        ids = self.part_ids
        return self.classes if ids is None else self.classes.of([int(n) - 1 for n in ids[1:]])

    @cached_property
    def states(self) -> tuple[State, ...]:
        """The states of this product."""
        return moving.states(self.spec.states, self.product, self.materials, self.state_models)

    @cached_property
    def instances(self) -> tuple[tuple[str, ...], NDArray[np.uint16]]:
        """Names of the instances, and (1 + parts,) the instance number of each part number."""
        return instances(self.product)

    @cached_property
    def objects(self) -> ObjectTable:
        """The single objects of every class."""
        return object_table(self.product, self.classes, self.spec.labels)

    @property
    def _has_occluders(self) -> bool:
        grouped = any("occluders.count" in joint.names for joint in self.spec.joint)
        return grouped or self.spec.occluders.count != 0

    def renderer(self, size: tuple[int, int]) -> Renderer:
        """Build the renderer of this scene for one picture size (width, height)."""
        return Renderer(**self._drawn_by(), size=size)

    def is_drawn_like(self, other: Scene) -> bool:
        """Whether a renderer of `other` draws this scene, too: the specs differ in chance only."""
        return self._drawn_by() == other._drawn_by()

    def _drawn_by(self) -> dict[str, Any]:
        """What a renderer is made from, besides the size."""
        labels = self.spec.labels
        panes = {"thin_glass"} if labels.see_through else set()
        # States give parts materials and meshes of their own: no two vehicles are alike then.
        company = () if self.spec.states else self.company
        return {
            "product": self.product,
            "materials": self.materials,
            "settings": self.spec.render,
            "see_through": frozenset(
                number for number, m in enumerate(self.materials) if m.kind in panes
            ),
            "company": {material: material.kind in panes for material in company},
            "extent_rays": labels.extent_rays if "extents" in labels.write else 0,
            "supersample": labels.supersample if "coverage" in labels.write else 0,
            "normals": "normals" in labels.write,
            "hdri_folder": self.hdri_folder,
            "photo_folder": self.photo_folder,
            "states": self.states,
            "occluders": self.spec.occluders if self._has_occluders else None,
            "occluder_models": self.occluder_models,
            "coarse": self.coarse,
        }


def load_scene(path: Path, *, last: Scene | None = None) -> Scene:
    """Read a spec and load its product, or take it from `last`, an earlier reading, if it is that.

    Raises:
        SpecError: the spec is wrong, or a rule in it matches nothing.
        ProductError: the product cannot be read.
        RenderError: the folder of HDR environments or of photographs is missing or empty.
    """
    document = read(path, KINDS, SceneSpec)
    spec = parse(document, SceneSpec)
    base = path.parent
    drawn = spec.product.builtin == FAMILY
    loaded = None if drawn else _loaded(spec, document, base, None if last is None else last.loaded)
    product = _product(spec, document, base) if loaded is None else loaded.product
    classes = resolve_classes(
        product,
        spec.classes,
        groups=spec.groups,
        where=lambda i: document.where(("classes", "rules", i)),
    )
    _check_visible(spec, product, document)
    folder = spec.light.hdri_folder
    hdri_folder = None if folder is None else base / expanded(folder)
    uses_hdri = spec.light.environments.get("hdri", 0) > 0
    names = list_hdris(hdri_folder, spec.light.hdris) if uses_hdri else ()
    photo_folder, photo_names = _photos(spec, base)
    materials = scene_materials(spec, product, document, base)
    moving.check_states(spec.states, product, document)
    models = moving.occluder_models(spec.occluders, base)
    state_models = moving.state_models(spec.states, base, document)
    drawn_from = [
        *(geometry_digest(model) for model, _ in state_models.values()),
        *(geometry_digest(model) for model, _ in models),
        spec.model_dump(mode="json"),
        family.code_digest() if loaded is None else loaded.geometry,
        [material_facts(material) for material in materials],
        _contents(hdri_folder, names),
        _contents(photo_folder, photo_names),
        # Another version may draw the same spec otherwise.
        __version__,
    ]
    return Scene(
        spec=spec,
        product=product,
        classes=classes,
        materials=materials,
        stage=Stage(
            points_m=np.zeros((0, 3)) if loaded is None else loaded.outline_m,
            hdri_names=names,
            photo_names=photo_names,
        ),
        hdri_folder=hdri_folder,
        photo_folder=photo_folder,
        occluder_models=models,
        state_models=state_models,
        digest=digest(drawn_from),
        loaded=loaded,
    )


def _check_visible(spec: SceneSpec, product: Product, document: Document) -> None:
    """Raise SpecError where `camera.require` wants parts seen that there are not."""
    for number, glob in enumerate(spec.camera.require.visible if spec.camera.require else ()):
        if not moving.matching(product, glob):
            raise SpecError(
                f"camera.require.visible: {glob!r} matches no part",
                where=document.where(("camera", "require", "visible", number)),
                do=did_you_mean(glob, [part.path for part in product.parts]),
            )


def _contents(folder: Path | None, names: Sequence[str]) -> list[list[str]]:
    """Names of files and what is in them: another picture of the same name is another series."""
    if folder is None:
        return []
    found = []
    for name in names:
        file = folder / name
        try:
            facts = file.stat()
            found.append([name, _file_digest(file, facts.st_mtime_ns, facts.st_size)])
        except OSError as error:
            raise RenderError("cannot read the file", where=file, found=error.strerror) from error
    return found


@lru_cache(maxsize=1024)
def _file_digest(file: Path, modified_ns: int, size: int) -> str:
    # A preview reads its spec again whenever it is saved; hundreds of megabytes stay as they are.
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _loaded(spec: SceneSpec, document: Document, base: Path, last: Loaded | None) -> Loaded:
    stamp: tuple[object, ...] = (spec.product,)
    if spec.product.file is not None:
        file = base / expanded(spec.product.file)
        try:
            found = file.stat()
            stamp = (spec.product, file.resolve(), found.st_mtime_ns, found.st_size)
        except OSError:
            # Reading it says what is wrong; equal to no other stamp.
            stamp = (object(),)
    if last is not None and last.stamp == stamp:
        return last
    product = _product(spec, document, base)
    return Loaded(product, stamp, outline_points(product), geometry_digest(product))


def _photos(spec: SceneSpec, base: Path) -> tuple[Path | None, tuple[str, ...]]:
    """Return the folder of photographs and the names in it, where backdrops show any."""
    folder = spec.backdrop.photo_folder
    if folder is None or spec.backdrop.modes.get("photo", 0) == 0:
        return None, ()
    place = base / expanded(folder)
    return place, list_photos(place)


def _product(spec: SceneSpec, document: Document, base: Path) -> Product:
    def where(number: int) -> str:
        return document.where(("product", "drop", number))

    if spec.product.builtin is None:
        return load_file_product(spec.product, base, where=where)
    if spec.product.builtin == FAMILY:
        family.check(spec.product, document)
        every = vehicles.catalogue_product()
        return drop_parts(every, spec.product.drop, where=where) if spec.product.drop else every
    family.check_style(spec.product, document)
    built = vehicles.build(spec.product.builtin, spec.product.seed, dict(spec.product.parameters))
    return drop_parts(built, spec.product.drop, where=where) if spec.product.drop else built


def outline_points(product: Product, count: int = 256) -> NDArray[np.float64]:
    """(N, 3): the vertices that lie farthest in `count` directions, metres.

    Their outline from any side is the product's to within a fraction of a percent, and framing
    a picture with them costs nothing even for millions of triangles.
    """
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    z = 1 - (np.arange(count) + 0.5) * 2 / count
    radius = np.sqrt(1 - z * z)
    directions = np.stack([radius * np.cos(turn), radius * np.sin(turn), z], 1).astype(np.float32)
    candidates = []
    for part in product.parts:
        vertices = part.mesh.vertices
        for start in range(0, len(vertices), 65536):
            block = vertices[start : start + 65536]
            candidates.append(block[np.unique((directions @ block.T).argmax(axis=1))])
    points = np.concatenate(candidates)
    farthest = np.unique((directions @ points.T).argmax(axis=1))
    outline: NDArray[np.float64] = points[farthest].astype(np.float64)
    return outline


def geometry_digest(product: Product) -> str:
    """Return the SHA-256 (hex) of all parts: paths, triangles, file materials."""
    sha = hashlib.sha256()
    for part in product.parts:
        sha.update(f"{part.path}\0{part.material!r}\0".encode())
        for array in (part.mesh.vertices, part.mesh.faces, part.mesh.normals, part.mesh.uv):
            if array is not None:
                sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()
