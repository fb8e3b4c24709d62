"""USD that is refused: files outside the folder, packages that lie, damaged files, no OpenUSD."""

from __future__ import annotations

import random
import re
import zipfile
from pathlib import Path

import pytest

from clearcoat.errors import MissingDependencyError, ProductError
from clearcoat.product import read

pytest.importorskip("pxr", reason="usd-core is not installed")
from clearcoat.product.readers.usd.size import check_size
from tests.product.readers.usd_stages import cube, stage


def test_files_outside_the_folder_are_refused(tmp_path: Path) -> None:
    other = stage(tmp_path / "secret.usda")
    cube(other, "/box")
    other.GetRootLayer().Save()
    folder = tmp_path / "product"
    folder.mkdir()
    (folder / "link.usda").symlink_to(tmp_path / "secret.usda")
    for asset in ("../secret.usda", str(tmp_path / "secret.usda"), "link.usda"):
        path = folder / "car.usda"
        path.write_text(f'#usda 1.0\ndef Xform "car" (references = @{asset}@</box>) {{}}\n')
        with pytest.raises(ProductError, match="outside the product's folder"):
            read(path)


@pytest.mark.parametrize("setting", ["root", "between"])
def test_variables_do_not_lead_out_of_the_folder(tmp_path: Path, setting: str) -> None:
    folder = tmp_path / "product"
    folder.mkdir()
    for name in (tmp_path / "box.usda", folder / "box.usda"):
        other = stage(name)
        cube(other, "/box")
        other.GetRootLayer().Save()
    path = folder / "car.usda"
    for where, allowed in (("../", False), ("", True)):
        given = f'#usda 1.0\n(expressionVariables = {{ string P = "{where}box" }})\n'
        reference = 'def "car" (references = @`"${P}.usda"`@</box>) {}\n'
        if setting == "between":
            # The variable stands neither in the root layer nor where it is used.
            (folder / "leaf.usda").write_text("#usda 1.0\n" + reference)
            (folder / "middle.usda").write_text(
                given + 'def "car" (references = @leaf.usda@</car>) {}\n'
            )
            path.write_text('#usda 1.0\ndef "car" (references = @middle.usda@</car>) {}\n')
        else:
            path.write_text(given + reference)
        if allowed:
            product = read(path)
            assert product.triangle_count == 12
            absent = any("absent" in note for note in product.notes)
            assert absent == (setting == "between")
        else:
            with pytest.raises(ProductError, match="outside the product's folder"):
                read(path)


def test_value_clips_outside_the_folder_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "product"
    folder.mkdir()
    clip = '#usda 1.0\ndef "car" {\ndef Mesh "m" {\npoint3f[] points.timeSamples = {'
    clip += "0: [(0,0,0), (1,0,0), (0,1,0)]}\n}\n}\n"
    path = folder / "car.usda"
    for asset, allowed in (("../clip.usda", False), ("clip.usda", True)):
        (folder / asset).write_text(clip)
        path.write_text(
            f"""#usda 1.0
def Xform "car" (
    clips = {{
        dictionary default = {{
            asset[] assetPaths = [@{asset}@]
            asset manifestAssetPath = @{asset}@
            string primPath = "/car"
            double2[] active = [(0, 0)]
            double2[] times = [(0, 0), (1, 1)]
        }}
    }}
    assetInfo = {{ asset identifier = @../clip.usda@ }}
) {{
    def Mesh "m" {{
        point3f[] points
        int[] faceVertexCounts = [3]
        int[] faceVertexIndices = [0, 1, 2]
    }}
}}
"""
        )
        if allowed:
            # That the asset's own name mentions a file elsewhere opens nothing.
            assert read(path).triangle_count == 1
        else:
            with pytest.raises(ProductError, match="outside the product's folder"):
                read(path)


@pytest.mark.parametrize(
    "root",
    [
        "(subLayers = [@between.usda@])\n",
        'def "car" (references = @between.usda@</level0>) {}\n',
        '(expressionVariables = { string P = "between" })\n'
        'def "car" (references = @`"${P}.usda"`@</level0>) {}\n',
    ],
    ids=["sublayer", "reference", "variable"],
)
def test_copies_of_copies_are_counted_in_sublayers(tmp_path: Path, root: str) -> None:
    levels = [f'over "level{n}" {{\n' for n in range(10)]
    for n in range(9):
        levels[n] += "".join(f'def "c{i}" (references = </level{n + 1}>) {{}}\n' for i in range(10))
    # Even and odd levels in two layers: what is referred to is found in the one beside.
    for parity, name in enumerate(("even", "odd")):
        text = "".join(f"{level}}}\n" for level in levels[parity::2])
        (tmp_path / f"{name}.usda").write_text("#usda 1.0\n" + text)
    (tmp_path / "copies.usda").write_text("#usda 1.0\n(subLayers = [@even.usda@, @odd.usda@])\n")
    (tmp_path / "between.usda").write_text("#usda 1.0\n(subLayers = [@copies.usda@])\n")
    path = tmp_path / "car.usda"
    path.write_text("#usda 1.0\n" + root)
    with pytest.raises(ProductError, match="once its references are followed") as caught:
        # Not by `read`: were it let through, composing it would take all memory.
        check_size(path)
    assert re.search(r"2,\d{3},\d{3},\d{3} prims", str(caught.value))


def test_a_stage_too_deep_to_count_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.usda"
    copies = "".join(f'def "c{i}" (references = </box>) {{}}\n' for i in range(3))
    path.write_text("#usda 1.0\n" + 'def "n" {\n' * 301 + copies + "}\n" * 301)
    with pytest.raises(ProductError, match="once its references are followed") as caught:
        read(path)
    assert "300 levels" in str(caught.value)


def zipped(path: Path, *members: tuple[str, bytes], compressed: bool = False) -> Path:
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as package:
        for name, content in members:
            package.writestr(name, content)
    return path


def test_packages_that_could_harm_are_refused(tmp_path: Path) -> None:
    layer = ("a.usda", b"#usda 1.0\n")
    path = tmp_path / "p.usdz"
    for members, compressed, what in (
        ([layer, ("b.png", b"\0" * 10_000_000)], True, "compressed"),
        ([layer, ("../b.png", b"x")], False, "leads out"),
        ([layer, ("/etc/b.png", b"x")], False, "leads out"),
        ([("b.png", b"x"), layer], False, "no USD layer"),
    ):
        zipped(path, *members, compressed=compressed)
        with pytest.raises(ProductError, match="not safe") as caught:
            read(path)
        assert what in str(caught.value)
    content = bytearray(zipped(path, layer, ("b.png", b"x")).read_bytes())
    for place in [content.rfind(b"PK\x01\x02")]:
        # Sizes in the directory that the file cannot hold.
        content[place + 20 : place + 28] = (1 << 31).to_bytes(4, "little") * 2
    path.write_bytes(content)
    with pytest.raises(ProductError, match="not safe"):
        read(path)
    path.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ProductError, match="damaged"):
        read(path)


def test_damaged_files_are_one_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = stage(tmp_path / "good.usdc")
    cube(made, "/box")
    made.GetRootLayer().Save()
    content = (tmp_path / "good.usdc").read_bytes()
    capfd.readouterr()
    files = {
        "text.usda": b'#usda 1.0\ndef Mesh "a" {{{',
        "cut.usdc": content[: len(content) // 2],
        "noise.usd": b"nothing of the kind",
        "version.usdc": content[:8] + b"\xff" * 80 + content[88:],
        "faces.usda": b'#usda 1.0\ndef Mesh "a" {\nint[] faceVertexCounts = [3]\n'
        b"int[] faceVertexIndices = [0, 1, 7]\npoint3f[] points = [(0,0,0)]\n}\n",
        "empty.usda": b"#usda 1.0\n",
    }
    for name, bad in files.items():
        path = tmp_path / name
        path.write_bytes(bad)
        with pytest.raises(ProductError, match=r"cannot be read|malformed|no geometry") as caught:
            read(path)
        assert caught.value.where == str(path)
        assert "Traceback" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ('(upAxis = "Q")\ndef Mesh "m" {}', "upAxis"),
        ('def Mesh "m" { float points = 3\nint[] faceVertexCounts = [3]\n'
         'int[] faceVertexIndices = [0, 1, 2]\n}', "wrong type or size"),
    ],
)  # fmt: skip
def test_what_the_schema_does_not_allow_is_one_error(
    tmp_path: Path, content: str, what: str
) -> None:
    path = tmp_path / "car.usda"
    path.write_text("#usda 1.0\n" + content)
    with pytest.raises(ProductError, match=what) as caught:
        read(path)
    assert caught.value.where == str(path)


def test_flipped_bytes_are_read_or_refused(tmp_path: Path) -> None:
    made = stage(tmp_path / "good.usdc")
    cube(made, "/box")
    made.GetRootLayer().Save()
    content = (tmp_path / "good.usdc").read_bytes()
    chance = random.Random(5)
    path = tmp_path / "bad.usdc"
    for _ in range(4):
        bad = bytearray(content)
        for _ in range(8):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        path.write_bytes(bad)
        try:
            assert read(path).triangle_count <= 12
        except ProductError as error:
            assert error.where == str(path)


def test_without_usd_core_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    path = tmp_path / "a.usda"
    path.write_text("#usda 1.0\n")
    with pytest.raises(MissingDependencyError, match="usd-core") as caught:
        read(path)
    assert "clearcoat[usd]" in str(caught.value)
