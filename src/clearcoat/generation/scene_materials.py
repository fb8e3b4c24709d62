"""The materials that a spec gives its product: of the library, measured, or the file's own."""

from __future__ import annotations

from dataclasses import asdict, replace
from hashlib import file_digest
from pathlib import Path

from clearcoat.errors import RenderError, SpecError
from clearcoat.generation.scene_spec import SceneSpec
from clearcoat.materials import LIBRARY, Material, check_measured, material
from clearcoat.materials.plates import PLATES, lettered
from clearcoat.product import MaterialRule, Part, Product, resolve_materials
from clearcoat.product.facing import face_size
from clearcoat.render import resolve_materials as complete_materials
from clearcoat.spec.document import Document
from clearcoat.spec.paths import expanded


def scene_materials(
    spec: SceneSpec, product: Product, document: Document, base: Path
) -> tuple[Material, ...]:
    """Return the material of every part.

    Args:
        spec: the parsed spec.
        product: its product.
        document: the spec with the lines of its keys.
        base: the folder that files of measured materials start from.

    Raises:
        SpecError: a rule names no material, or matches nothing.
        RenderError: a measured file is missing, damaged or of another kind.
    """
    made = [_made(rule, number, document, base) for number, rule in enumerate(spec.materials)]
    matches = resolve_materials(
        product,
        spec.materials,
        groups=spec.groups,
        where=lambda i: document.where(("materials", i)),
    )
    position = {id(rule): number for number, rule in enumerate(spec.materials)}
    chosen = [None if rule is None else made[position[id(rule)]] for rule in matches]
    if spec.product.builtin is None:
        chosen = [_on_plates(*pair, product) for pair in zip(chosen, product.parts, strict=True)]
    return complete_materials(product, chosen, LIBRARY)


def material_facts(material: Material) -> dict[str, object]:
    """Return a material as plain data for a digest: files and pictures stand by their content."""
    facts = asdict(replace(material, textures=None))
    # An entry only where there is one: what was drawn without pictures keeps its digest.
    del facts["textures"]
    if not any(material.emission):
        del facts["emission"]
    if not material.has_film:
        facts = {key: value for key, value in facts.items() if not key.startswith("thin_film_")}
    if material.file is not None:
        with material.file.open("rb") as stream:
            facts["file"] = file_digest(stream, "sha256").hexdigest()
    if material.textures:
        # Written as before there were films where there is none.
        facts["textures"] = repr(material.textures).replace(", film_thickness=None", "")
    return facts


def _on_plates(chosen: Material | None, part: Part, product: Product) -> Material | None:
    """Return a part's material, with characters where a plate has no picture's place for any."""
    if chosen is None or chosen.name not in PLATES or part.mesh.uv is not None:
        return chosen
    # Both plates of a product bear the same.
    return lettered(chosen, product.name, *face_size(part.mesh))


def _made(rule: MaterialRule, number: int, document: Document, base: Path) -> Material:
    try:
        if rule.file is None:
            return material(rule.use, rule.parameters)
        file = base / expanded(rule.file)
        name = rule.file.stem
        check_measured(file, name)
        return Material(name, "measured", kind="measured", file=file)
    except SpecError as error:
        error.where = document.where(("materials", number, "use"))
        raise
    except RenderError as error:
        error.where = f"{error.where}, named at {document.where(('materials', number, 'file'))}"
        raise
