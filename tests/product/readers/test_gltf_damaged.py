"""glTF files that are damaged, absurd or no glTF at all: an error, and never a traceback."""

from __future__ import annotations

import copy
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from clearcoat.errors import ProductError
from clearcoat.product import read


@pytest.mark.parametrize(
    ("uri", "what"),
    [
        ("../secret.bin", "outside"),
        ("%2e%2e/secret.bin", "outside"),
        ("/etc/passwd", "outside"),
        ("http://127.0.0.1/a.bin", "elsewhere"),
        ("file:///etc/passwd", "elsewhere"),
        ("..\\secret.bin", "elsewhere"),
        ("absent.bin", "cannot be read"),
        ("data:application/octet-stream;base64,@@@", "inline data"),
        ("data:;base64,é", "inline data"),
        ("data:,\ud800", "truncated"),
        ("//[x", "the URI of"),
        ("a\ud800.bin", "cannot be read"),
        ("a" * 300, "cannot be read"),
    ],
)
def test_buffers_stay_in_the_folder(gltf: Any, tmp_path: Path, uri: str, what: str) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(gltf.binary)
    gltf.document["buffers"][0]["uri"] = uri
    path = folder / "product.gltf"
    path.write_text(json.dumps(gltf.document))
    with pytest.raises(ProductError, match=what) as caught:
        read(path)
    assert caught.value.where == str(path)


def change_cycle(document: dict[str, Any]) -> None:
    document["nodes"] = [{"children": [1]}, {"children": [0], "mesh": 0}]


def change_two_parents(document: dict[str, Any]) -> None:
    document["nodes"] = [{"children": [1, 1]}, {"mesh": 0}]


def change_all_have_parents(document: dict[str, Any]) -> None:
    change_cycle(document)
    del document["scenes"]


def change_accessor(document: dict[str, Any]) -> None:
    document["accessors"][0]["count"] = 1000


def change_indices(document: dict[str, Any]) -> None:
    document["accessors"][0]["count"] = 7


def change_view(document: dict[str, Any]) -> None:
    document["bufferViews"][0]["byteLength"] = 10**9


def change_buffer(document: dict[str, Any]) -> None:
    document["buffers"][0]["byteLength"] += 1000


def change_zeros(document: dict[str, Any]) -> None:
    document["accessors"][0] |= {"count": 10**12}
    del document["accessors"][0]["bufferView"]


def change_mesh(document: dict[str, Any]) -> None:
    document["nodes"][0]["mesh"] = 5


def change_draco(document: dict[str, Any]) -> None:
    primitive = document["meshes"][0]["primitives"][0]
    primitive["extensions"] = {"KHR_draco_mesh_compression": {"bufferView": 0}}


def change_required(document: dict[str, Any]) -> None:
    document["extensionsRequired"] = ["VENDOR_secret"]


def change_version(document: dict[str, Any]) -> None:
    document["asset"]["version"] = "1.0"


def change_scene(document: dict[str, Any]) -> None:
    document["scenes"] = [{"nodes": []}]


def change_lines(document: dict[str, Any]) -> None:
    document["meshes"][0]["primitives"][0]["mode"] = 1


def change_mode(document: dict[str, Any]) -> None:
    document["meshes"][0]["primitives"][0]["mode"] = 9


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (change_cycle, "tree"),
        (change_two_parents, "tree"),
        (change_all_have_parents, "tree"),
        (change_accessor, "reaches beyond"),
        (change_indices, "refers to vertex 7"),
        (change_view, "reaches beyond"),
        (change_buffer, "truncated"),
        (change_zeros, "without data"),
        (change_mesh, r"refers to meshes\[5\]"),
        (change_draco, "has no 'attributes'"),
        (change_required, "extension that is not read"),
        (change_version, "version"),
        (change_scene, "no geometry"),
        (change_lines, "no geometry"),
        (change_mode, "mode 9"),
    ],
)
def test_damaged_documents_are_refused(gltf: Any, tmp_path: Path, change: Any, what: str) -> None:
    change(gltf.document)
    with pytest.raises(ProductError, match=what):
        read(gltf.write(tmp_path))


def test_half_a_surrogate_pair_in_a_name_can_be_printed(gltf: Any, tmp_path: Path) -> None:
    gltf.document["nodes"][0] |= {"name": "a\ud800é", "extras": {"layer\udc00": "b\ud800"}}
    part = read(gltf.write(tmp_path)).parts[0]
    assert part.path == "a?é"
    assert part.metadata == {"layer?": "b?"}


def test_a_sampler_of_the_wrong_type_is_refused(gltf: Any, tmp_path: Path) -> None:
    content = io.BytesIO()
    Image.new("RGB", (2, 2)).save(content, "PNG")
    gltf.document["images"] = [{"bufferView": gltf.view(content.getvalue())}]
    gltf.document["textures"] = [{"source": 0, "sampler": 0}]
    gltf.document["samplers"] = [{"wrapS": []}]
    gltf.document["materials"] = [{"normalTexture": {"index": 0}}]
    gltf.document["meshes"][0]["primitives"][0]["material"] = 0
    with pytest.raises(ProductError, match="'wrapS' of"):
        read(gltf.write(tmp_path))


def test_every_truncation_is_refused(gltf: Any, tmp_path: Path) -> None:
    content = gltf.glb()
    path = tmp_path / "cut.glb"
    for length in [*range(0, 40), *range(40, len(content), 97), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(ProductError):
            read(path)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.glb", b"PK\x03\x04 a zip by another name", "not a GLB"),
        ("a.glb", struct.pack("<4sIIII", b"glTF", 1, 20, 0, 0), "version 1"),
        ("a.gltf", b"{ not json", "damaged"),
        ("a.gltf", b"\xff\xfe\x00", "damaged"),
        ("a.gltf", b"[1, 2]", "not a glTF"),
        ("a.gltf", b"[" * 100_000, "damaged"),
        ("a.gltf", b"{}", "no 'asset'"),
        ("a.blend", b"BLENDER", "format"),
        ("a.yaml", b"product:", "format"),
        ("a.CATPart", b"V5_CFV2", "format"),
        ("a", b"x", "format"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, content: bytes, what: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ProductError, match=what):
        read(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ProductError, match="cannot be read"):
        read(tmp_path / "absent.glb")
    (tmp_path / "folder.glb").mkdir()
    with pytest.raises(ProductError, match="folder"):
        read(tmp_path / "folder.glb")


def test_no_numbers_and_degenerate_triangles_are_left_out(gltf: Any, tmp_path: Path) -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [np.nan, 0, 0], [np.inf, 0, 0]])
    faces = np.array([[0, 1, 2], [0, 1, 3], [0, 1, 4], [0, 1, 1], [0, 0, 0]])
    gltf.document["nodes"][0]["mesh"] = gltf.mesh(vertices, faces)
    product = read(gltf.write(tmp_path))
    assert product.triangle_count == 1
    assert np.isfinite(product.parts[0].mesh.vertices).all()
    assert "triangles with a corner that is no number left out: 2 (cube)" in product.notes
    assert "triangles without area left out: 2 (cube)" in product.notes
    gltf.document["nodes"][0]["mesh"] = gltf.mesh(vertices, faces[1:])
    with pytest.raises(ProductError, match="no geometry"):
        read(gltf.write(tmp_path))


def test_absurd_coordinates_are_refused(gltf: Any, tmp_path: Path) -> None:
    gltf.document["nodes"][0]["scale"] = [1e30, 1e30, 1e30]
    with pytest.raises(ProductError, match="too large"):
        read(gltf.write(tmp_path))
    gltf.document["nodes"][0]["scale"] = [1000, 1000, 1000]
    assert any("check its unit" in note for note in read(gltf.write(tmp_path)).notes)


@pytest.mark.parametrize("depth", [299, 300])
def test_deep_trees_are_read_up_to_a_limit(gltf: Any, tmp_path: Path, depth: int) -> None:
    gltf.document["nodes"] = [{"name": "n", "children": [i + 1]} for i in range(depth)]
    gltf.document["nodes"].append({"name": "leaf", "mesh": 0})
    if depth < 300:
        assert read(gltf.write(tmp_path)).parts[0].path.count("/") == depth
        return
    with pytest.raises(ProductError, match="too deep"):
        read(gltf.write(tmp_path))


def test_zeros_count_wherever_they_are_used(gltf: Any, tmp_path: Path) -> None:
    number = len(gltf.document["accessors"])
    gltf.document["accessors"].append({"componentType": 5126, "count": 300_000, "type": "VEC3"})
    empty = {"attributes": {"POSITION": number}}
    primitives = gltf.document["meshes"][0]["primitives"]
    primitives += [empty] * 3
    product = read(gltf.write(tmp_path))
    assert [part.path for part in product.parts] == ["cube"]
    # Three primitives of nothing, each with a note.
    assert any("left out: 300,000 (cube" in note for note in product.notes)
    primitives += [empty] * 20
    with pytest.raises(ProductError, match="without data"):
        read(gltf.write(tmp_path))


def places(value: Any, key: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All keys and indices of a JSON document, as paths."""
    entries = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [
        found for name, child in entries for found in ((*key, name), *places(child, (*key, name)))
    ]


WRONG: st.SearchStrategy[Any] = st.sampled_from(
    [None, -1, 0, 1, 2, 3, 99, 2**40, 10**400, 1.5, "x", "", True, [], [0], [[]], {}, {"a": 1}]
) | st.floats(allow_nan=True)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_damage_ends_in_a_traceback(data: st.DataObject, new_gltf: Any, tmp_path: Path) -> None:
    """Whatever value a document holds where, the reader reads it or says what is wrong."""
    made = new_gltf()
    made.document["materials"] = [
        {
            "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}},
            "extensions": {"KHR_materials_clearcoat": {"clearcoatFactor": 1}},
        }
    ]
    made.document["images"] = [{"bufferView": 0}]
    made.document["textures"] = [{"source": 0}]
    primitive = made.document["meshes"][0]["primitives"][0]
    primitive |= {"material": 0}
    primitive["attributes"]["NORMAL"] = primitive["attributes"]["POSITION"]
    made.document["nodes"][0] |= {"scale": [1, 1, 1], "rotation": [0, 0, 0, 1]}
    document = copy.deepcopy(made.document)
    for key in data.draw(st.lists(st.sampled_from(places(document)), min_size=1, max_size=2)):
        owner = made.document
        try:
            for name in key[:-1]:
                owner = owner[name]
            owner[key[-1]] = data.draw(WRONG)
        except (KeyError, IndexError, TypeError):
            continue
    try:
        read(made.write(tmp_path))
    except ProductError as error:
        assert error.where is not None
