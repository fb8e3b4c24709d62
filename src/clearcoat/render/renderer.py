"""Draw scene samples of one product: the scene is built once and only its parameters move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.errors import RenderError
from clearcoat.materials import Material
from clearcoat.product import Product
from clearcoat.render import backend, bsdf
from clearcoat.render.backdrop import plain_color
from clearcoat.render.camera import Camera
from clearcoat.render.conditions import Conditions
from clearcoat.render.develop import denoise
from clearcoat.render.frame import Frame
from clearcoat.render.glow import Glow
from clearcoat.render.light import light
from clearcoat.render.meshes import merge
from clearcoat.render.moving import Occluders, State, Variants
from clearcoat.render.normals import camera_normals
from clearcoat.render.palette import Finish, finishes
from clearcoat.render.panorama import COARSE_HEIGHT, HEIGHT
from clearcoat.render.passes import Passes
from clearcoat.render.peel import Extent, peel
from clearcoat.render.photo import photo_behind
from clearcoat.render.probe import LabelProbe
from clearcoat.render.scenes import Scenes
from clearcoat.render.settings import RenderSettings
from clearcoat.render.surroundings import Surroundings
from clearcoat.scene import OccluderSpec, SceneSample

Float32Array = NDArray[np.float32]


class Renderer:
    """Mitsuba's scene of one product at one picture size.

    Args:
        product: the parts to draw.
        materials: one per part, in the product's order.
        see_through: part numbers (places in the product) that `Frame.behind` looks through. Where
            there are any, it looks through what is of glass and stands in for others, too.
        supersample: side of the grid of rays per pixel for `Frame.fine_parts`; 0: none.
        extent_rays: at how many pixels, at most, to look for hidden parts (`Frame.extent`); 0: not.
        normals: whether to fill `Frame.surface_normal`.
        hdri_folder: where the environment files of the samples are.
        photo_folder: where the photographs of their backdrops are.
        size: width and height of the picture in pixels.
        variant: Mitsuba variant; by default the fastest that works.
        states: what may differ between images.
        occluders: what may stand around the product; None is nothing.
        occluder_models: the objects of `occluders.models`, each with a material per part.
        company: the materials of all products that are drawn in turn, and whether labels look
            through their parts: renderers of the same company share their compiled kernels.
        coarse: whether environment and ground have half the resolution, for speed.

    Raises:
        RenderError: no variant works, or the product has more parts than a label can count.
    """

    def __init__(
        self,
        product: Product,
        materials: Sequence[Material],
        *,
        settings: RenderSettings,
        size: tuple[int, int],
        see_through: frozenset[int] = frozenset(),
        supersample: int = 0,
        extent_rays: int = 0,
        normals: bool = False,
        hdri_folder: Path | None = None,
        photo_folder: Path | None = None,
        variant: str | None = None,
        states: Sequence[State] = (),
        occluders: OccluderSpec | None = None,
        occluder_models: Sequence[tuple[Product, Sequence[Material]]] = (),
        company: Mapping[Material, bool] | None = None,
        coarse: bool = False,
    ) -> None:
        if len(product.parts) >= 2**16 - 1:
            raise RenderError(
                "too many parts for a 16-bit part raster",
                found=len(product.parts),
                expected=f"at most {2**16 - 2}",
                do="merge parts before export, or drop hidden ones with product.drop",
            )
        self.mi = backend.load(variant)
        self.settings = settings
        self.size = size
        self.hdri_folder, self.photo_folder = hdri_folder, photo_folder
        self._supersample = supersample
        self._extent_rays, self._wants_normals = extent_rays, normals
        self._conditions = Conditions(product, states, self.mi)
        materials = [self._conditions.dressed(n, m) for n, m in enumerate(materials)]
        states = [self._conditions.dressed_state(state) for state in states]
        stand_ins = [s for state in states for s in state.stand_ins.values()]
        # What stands in for parts is painted along with all else.
        company = company or {}
        self._build_bsdfs([*company, *materials, *(m for one in stand_ins for m in one.materials)])
        self._variants = Variants(product, states, self._finishes, self.mi)
        moved = self._variants.apart()
        # What is moved, glows or is left out has a mesh of its own.
        apart = {
            n: (moved.get(n), material.emission, n in see_through)
            for n, material in enumerate(materials)
        }
        beside = {m: (None, m.emission, seen_through) for m, seen_through in company.items()}
        self._shapes, face_parts = merge(product, materials, self._finishes, self.mi, apart, beside)
        made_of = [materials[owners[0] - 1] if owners[0] else None for owners in face_parts]
        more_shapes, more_parts, more_made_of = self._variants.build(
            self._shapes, face_parts, apart
        )
        through = [owners[0] > 0 and int(owners[0]) - 1 in see_through for owners in face_parts]
        # What stands in for a pane may be none.
        through += [bool(see_through) and one.kind == "thin_glass" for one in more_made_of]
        self._shapes, face_parts = self._shapes + more_shapes, face_parts + more_parts
        self._glow = Glow(self._shapes, [*made_of, *more_made_of], self.mi)
        self._occluders = Occluders(occluders, occluder_models, self.mi) if occluders else None
        self._rows = COARSE_HEIGHT if coarse else HEIGHT
        self._surroundings = Surroundings(self.mi, self._rows)
        panes = [shape for shape, is_pane in zip(self._shapes, through, strict=True) if is_pane]
        self._looks_through = bool(panes)
        self._build_scenes(panes)
        self._camera = Camera(size, self.mi, product.bounds_m)
        self._passes = Passes(settings, self.mi)
        self._probe = LabelProbe(self._shapes, face_parts, self.mi)

    def render(self, sample: SceneSample) -> Frame:
        """Draw one sample. The same sample gives the same bytes on the same machine and variant."""
        panorama = light(sample, self.hdri_folder, self.mi, self._rows)
        self._surroundings.set_environment(panorama, sample)
        self._set_paint(sample)
        self._conditions.show(sample)
        self._camera.set(sample.camera)
        moved = [one.pose(sample) for one in (self._variants, self._occluders) if one]
        if any(moved):
            self._scenes.moved()
        on_ground = sample.backdrop.mode in {"grounded", "surface"}
        if on_ground:
            self._surroundings.set_ground(panorama, sample, self.size)
        unglazed = self._scenes.unglazed(ground=on_ground) if self._looks_through else None
        scene = self._scenes.get("ground" if on_ground else "open")
        lit = scene
        if sample.environment.tunnel is not None and on_ground:
            # Labels are those of the scene without the tubes, which are seen from inside only.
            lit = self._scenes.get("tunnel")
            self._scenes.light_tunnel(sample.environment.tunnel, sample.environment.variation)
        pose = sample.camera.pose
        noise = int(np.random.SeedSequence([sample.seed, sample.index]).generate_state(1)[0])
        backdrop = self._cut_out_before(sample)
        cut_out = backdrop is not None
        radiance = self._passes.light(lit, self._camera.sensor, noise, cut_out=cut_out)
        albedo, normal = self._passes.guides(scene, self._camera.sensor, noise)
        if self.settings.denoise:
            radiance = denoise(radiance, albedo, normal)
        glow = self._glow.draw(scene, self._camera.sensor, noise)
        if glow is not None:
            radiance = radiance + glow
        if backdrop is not None:
            # A pixel that is covered in part has only a part of the product's radiance already.
            shown = self._passes.transmission(scene, self._camera.sensor, noise)
            whole = shown.min(axis=2, keepdims=True) >= 1
            # Beside the product the denoiser leaves a trace of it, which black would show.
            radiance = np.where(whole, 0, radiance) + shown * backdrop
        place = np.array(pose.position_m), np.array(pose.forward)
        parts, behind, depth_m = self._probe.look(
            scene, self._camera.sensor, self.size, *place, unglazed
        )
        labelled = (self._probe, scene, self._camera.sensor, self.size)
        conditions = self._covered(sample, scene, self.size, parts)
        fine_parts = fine_behind = fine_conditions = None
        if self._supersample:
            fine = self.size[0] * self._supersample, self.size[1] * self._supersample
            fine_parts, fine_behind, _ = self._probe.look(
                scene, self._camera.sensor, fine, *place, unglazed
            )
            fine_conditions = self._covered(sample, scene, fine, fine_parts)
        return Frame(
            radiance=radiance.astype(np.float32),
            parts=parts,
            behind=behind,
            depth_m=depth_m,
            albedo=albedo,
            normal=normal,
            surface_normal=camera_normals(*labelled, pose.camera_from_world)
            if self._wants_normals
            else None,
            fine_parts=fine_parts,
            fine_behind=fine_behind,
            extent=peel(*labelled, self._extent_rays) if self._extent_rays else None,
            conditions=conditions,
            fine_conditions=fine_conditions or {},
        )

    def survey(
        self, sample: SceneSample, size: tuple[int, int]
    ) -> tuple[NDArray[np.uint16], Extent]:
        """Return `Frame.parts` and `Frame.extent` of a picture of `size`, without any light."""
        self._camera.set(sample.camera)
        moved = [one.pose(sample) for one in (self._variants, self._occluders) if one]
        if any(moved):
            self._scenes.moved()
        on_ground = sample.backdrop.mode in {"grounded", "surface"}
        scene = self._scenes.get("ground" if on_ground else "open")
        pose, sensor = sample.camera.pose, self._camera.sensor
        place = np.array(pose.position_m), np.array(pose.forward)
        parts, _, _ = self._probe.look(scene, sensor, size, *place)
        return parts, peel(self._probe, scene, sensor, size, size[0] * size[1])

    # Construction, once per process and product.

    def _build_bsdfs(self, materials: Sequence[Material]) -> None:
        unique = list(dict.fromkeys(materials))
        dressed = {material: self._conditions.build(material) for material in unique}
        plain = finishes([m for m, made in dressed.items() if made is None], self.mi)
        self._finishes: dict[Material, Finish] = {}
        self._paints: list[tuple[str, Any]] = []
        for material, made in dressed.items():
            finish = plain[material] if made is None else Finish(made[0])
            self._finishes[material] = finish
            if material.is_paint:
                clean, prefix = (finish.bsdf, "brdf_0.") if made is None else (made[1], "")
                self._paints.append((prefix, self.mi.traverse(clean)))

    def _build_scenes(self, panes: Sequence[Any]) -> None:
        movables = self._variants.movables + (self._occluders.movables if self._occluders else [])
        moving = {id(movable.mesh) for movable in movables}
        fixed = [shape for shape in self._shapes if id(shape) not in moving]
        self._scenes = Scenes(fixed, movables, panes, self._surroundings, self.mi)

    # Parameters, once per image.

    def _cut_out_before(self, sample: SceneSample) -> Float32Array | None:
        """What stands behind a product that is cut out: one colour or a picture; else None."""
        if sample.backdrop.mode == "plain":
            return plain_color(sample)
        photo = sample.backdrop.photo
        if photo is None:
            return None
        if self.photo_folder is None:
            raise RenderError("the sample names a photograph but no folder is given", found=photo)
        return photo_behind(photo, self.photo_folder, self.size, self.settings.tone_curve)

    def _covered(
        self, sample: SceneSample, scene: Any, size: tuple[int, int], parts: NDArray[np.uint16]
    ) -> dict[str, NDArray[np.bool_]]:
        """Return `Frame.conditions` at the centres of a picture of `size`."""
        if not any(state.condition for state in sample.states):
            return {}
        width, height = size
        index = self._probe.dr.arange(self.mi.UInt32, width * height)
        ray = self._probe.rays(self._camera.sensor, size, index % width, index // width)
        return self._conditions.masks(sample, scene, ray, parts)

    def _set_paint(self, sample: SceneSample) -> None:
        mi = self.mi
        for at, paint in self._paints:
            color = sample.paint.color
            paint[f"{at}weight.value"] = mi.Float(bsdf.flake_share(sample.paint.metallic, color))
            paint[f"{at}bsdf_0.diffuse_reflectance.value"] = mi.Color3f(*color)
            paint[f"{at}bsdf_1.base_color.value"] = mi.Color3f(*bsdf.under_coat(color))
            paint[f"{at}bsdf_1.roughness.value"] = mi.Float(max(sample.paint.roughness, 0.02))
            paint.update()


def resolve_materials(
    product: Product, chosen: Sequence[Material | None], library: Mapping[str, Material]
) -> tuple[Material, ...]:
    """Return a material per part: the rule's, else the library's of that name, else the file's."""
    result = []
    for part, material in zip(product.parts, chosen, strict=True):
        by_name = None if part.material is None else library.get(part.material.name)
        result.append(
            material or by_name or bsdf.from_source(part.material, has_uv=part.mesh.uv is not None)
        )
    return tuple(result)
