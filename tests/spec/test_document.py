"""Specs: what a file may say, and how clearly a mistake in it is reported."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from clearcoat.errors import SpecError
from clearcoat.spec import Model, digest, load
from clearcoat.spec.document import parse, read, read_text
from clearcoat.spec.paths import expanded, path_places


class Lens(Model):
    focal_mm: float = 35.0
    mount: str | None = None


class Camera(Model):
    lens: Lens = Lens()
    filters: tuple[str, ...] = ()
    fast: bool = False


def _error(text: str) -> SpecError:
    with pytest.raises(SpecError) as caught:
        parse(read_text(text, "cam.yaml"), Camera)
    return caught.value


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        # An unknown key, with the nearest known one.
        ("lens:\n  focal_m: 3", "cam.yaml:2 (lens.focal_m)", "did you mean 'focal_mm'?"),
        ("lense: {}", "cam.yaml:1 (lense)", "did you mean 'lens'?"),
        # A wrong type.
        ("lens:\n  focal_mm: long", "cam.yaml:2 (lens.focal_mm)", "'long'"),
        ("filters: 3", "cam.yaml:1 (filters)", "found:    3"),
        ("lens: [1]", "cam.yaml:1 (lens)", "found:    [1]"),
        # Not YAML, and a key that stands twice.
        ("lens: [", "cam.yaml:1", "not valid YAML"),
        ("lens: {}\nlens: {}", "cam.yaml:2 (lens)", "stands twice"),
        ("lens: &a {x: 1}\nfast:\n  <<: *a\n  y: 1\n  y: 2", "cam.yaml:5 (fast.y)", "twice"),
        ("fast: maybe", "cam.yaml:1 (fast)", "found:    'maybe'"),
        # Equal keys that are spelt otherwise.
        ("lens: {50: 1,\n50.0: 2}", "cam.yaml:2 (lens.50.0)", "the first is at cam.yaml:1"),
        ("1: 2\ntrue: 3", "cam.yaml:2 (True)", "stands twice"),
        # What is not what it is tagged as, or has more digits than Python reads.
        ("\nfast: !!bool maybe", "cam.yaml:2", "type 'bool'"),
        ("\nfast: !!int abc", "cam.yaml:2", "found:    abc"),
        ("\nfast: !!timestamp x", "cam.yaml:2", "type 'timestamp'"),
        ("\nfast: " + "9" * 5000, "cam.yaml:2", "type 'int'"),
        # Nested without an end, or far too deeply.
        ("lens: &a [*a]", "cam.yaml", "nested too deeply"),
        ("[" * 3000 + "]" * 3000, "cam.yaml", "nested too deeply"),
        # Characters that YAML does not allow, even in a comment.
        ("fast: true\n# a\x01b", "cam.yaml:2", "U+0001"),
        # A base of 60 is no number of YAML 1.2.
        ("lens: {focal_mm: 4:3}", "cam.yaml:1 (lens.focal_mm)", "found:    '4:3'"),
    ],
)
def test_mistakes_name_line_key_and_mend(text: str, where: str, says: str) -> None:
    error = _error(text)
    assert error.where == where
    assert says in str(error)


def test_unknown_keys_are_compared_with_those_of_their_kind() -> None:
    class Fixed(Model):
        kind: Literal["fixed"] = "fixed"
        aperture: float = 8.0

    class Zoom(Model):
        kind: Literal["zoom"] = "zoom"
        apertures: tuple[float, ...] = ()

    class Rig(Model):
        lens: Annotated[Fixed | Zoom, Field(discriminator="kind")]

    def error(text: str) -> SpecError:
        with pytest.raises(SpecError) as caught:
            parse(read_text(f"lens:\n  {text}", "rig.yaml"), Rig)
        return caught.value

    assert error("{kind: zoom, aperture: 2}").do == "did you mean 'apertures'?"
    assert error("kind: zom").where == "rig.yaml:2 (lens.kind)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{<<: *a, x: 2}", {"x": 2, "y": 1}),
        ("{x: 2, <<: *a}", {"x": 2, "y": 1}),
        ("{<<: [*a, *b]}", {"x": 1, "y": 1, "z": 3}),
        ("{<<: [*b, *a], z: 4}", {"x": 3, "y": 1, "z": 4}),
        # A mapping that merges is merged, and stands a second time.
        ("{one: &c {<<: *a, x: 2}, <<: *c, two: *c}",
         {"one": {"x": 2, "y": 1}, "two": {"x": 2, "y": 1}, "x": 2, "y": 1}),
    ],
)  # fmt: skip
def test_own_keys_win_over_merged_ones(text: str, expected: object) -> None:
    document = read_text(f"a: &a {{x: 1, y: 1}}\nb: &b {{x: 3, z: 3}}\nc: {text}", "cam.yaml")
    assert document.data["c"] == expected


def test_a_path_that_is_none_is_named_in_words() -> None:
    class Rig(Model):
        calibration: Path

    with pytest.raises(SpecError, match="calibration: not a path"):
        parse(read_text("calibration: null", "rig.yaml"), Rig)


def test_every_mistake_of_a_file_is_reported_at_once() -> None:
    error = _error("lens: {focal_m: 1}\nfast: maybe")
    assert "cam.yaml:1 (lens.focal_m)" in str(error)
    assert "cam.yaml:2 (fast)" in str(error)


def test_numbers_are_read_as_yaml_1_2_reads_them() -> None:
    assert parse(read_text("lens: {focal_mm: 1e-3}", "x"), Camera).lens.focal_mm == 1e-3
    assert parse(read_text("lens: {mount: no}", "x"), Camera).lens.mount == "no"
    text = "[010, 0o10, 0x10, -7, +7, 0, 1e3, 1.5, 2024-02-30, 16:9]"
    values = [10, 8, 16, -7, 7, 0, 1000.0, 1.5, "2024-02-30", "16:9"]
    assert read_text(text, "x").data == values
    assert list(map(type, read_text(text, "x").data)) == list(map(type, values))


def test_digest_is_of_content_not_of_spelling() -> None:
    short = parse(read_text("fast: false", "x"), Camera)
    long = parse(read_text("filters: []\nlens: {mount: null, focal_mm: 35}", "x"), Camera)
    other = parse(read_text("fast: true", "x"), Camera)
    assert digest(short) == digest(long) != digest(other)


def test_a_file_extends_another(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("lens: {focal_mm: 50, mount: M}\nfilters: [uv]\n")
    (tmp_path / "own.yaml").write_text("extends: base.yaml\nlens: {mount: F}\nfilters: []\n")
    camera = load(tmp_path / "own.yaml", Camera)
    assert camera == Camera(lens=Lens(focal_mm=50, mount="F"), filters=())


class Shot(Model):
    background: Path | None = None
    by_name: dict[str, Path] = {}
    masks: tuple[Path, ...] = ()
    parts: dict[str, Camera] = {}
    note: str = ""


def test_paths_are_relative_to_the_file_that_they_are_written_in(tmp_path: Path) -> None:
    for folder in ("shared/sets", "own"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "shared" / "base.yaml").write_text(
        "background: skies/a.hdr\nmasks: [m.png, /data/n.png, ~/o.png]\nnote: skies/a.hdr\n"
        "by_name: {day: d.hdr}\n"
    )
    (tmp_path / "shared" / "sets" / "more.yaml").write_text(
        "extends: ../base.yaml\nparts: {left: {}}\n"
    )
    own = tmp_path / "own" / "own.yaml"
    own.write_text("extends: ../shared/sets/more.yaml\n")
    shot = load(own, Shot)
    assert shot.background == Path("../shared/skies/a.hdr")
    assert shot.masks == (Path("../shared/m.png"), Path("/data/n.png"), Path("~/o.png"))
    assert shot.by_name == {"day": Path("../shared/d.hdr")}
    assert shot.note == "skies/a.hdr"
    own.write_text("extends: ../shared/base.yaml\nbackground: mine.hdr\n")
    assert load(own, Shot).background == Path("mine.hdr")


def test_a_tilde_without_a_user_is_the_first_character_of_a_name(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "base.yaml").write_text("background: ~a.hdr\nmasks: [~/o.png]\n")
    own = tmp_path / "own" / "own.yaml"
    own.write_text("extends: ../base.yaml\n")
    shot = load(own, Shot)
    assert shot.background == Path("../~a.hdr")
    assert shot.masks == (Path("~/o.png"),)
    assert expanded(Path("~a.hdr")) == Path("~a.hdr")
    assert expanded(Path("~/o.png")) == Path.home() / "o.png"


def test_keys_of_paths_are_found_at_any_depth() -> None:
    class Outer(Model):
        shots: tuple[Shot, ...] = ()
        models: list[Path | None] = []
        by_day: dict[str, Shot] = {}

    own = [(name,) for name in ("background", "by_name", "masks")]
    below = [(key, "*", *place) for key in ("shots", "by_day") for place in own]
    assert path_places(Outer) == {("models",), *below}


def test_a_users_own_keys_are_no_paths_whatever_their_names(tmp_path: Path) -> None:
    class Outer(Model):
        shots: dict[str, Shot] = {}
        metadata: dict[str, str] = {}

    (tmp_path / "own").mkdir()
    (tmp_path / "base.yaml").write_text(
        "shots: {background: {background: a.hdr, note: masks}}\nmetadata: {masks: m.png}\n"
    )
    own = tmp_path / "own" / "own.yaml"
    own.write_text("extends: ../base.yaml\n")
    found = load(own, Outer)
    assert found.shots["background"].background == Path("../a.hdr")
    assert found.metadata == {"masks": "m.png"}


@pytest.mark.parametrize("content", ["- a\n- list\n", "hello world\n"])
@pytest.mark.parametrize("extends", ["other.yaml", "[good.yaml, other.yaml]"])
def test_what_is_extended_holds_keys(tmp_path: Path, content: str, extends: str) -> None:
    (tmp_path / "good.yaml").write_text("fast: true\n")
    (tmp_path / "other.yaml").write_text(content)
    (tmp_path / "own.yaml").write_text(f"extends: {extends}\n")
    with pytest.raises(SpecError, match="must hold keys") as caught:
        load(tmp_path / "own.yaml", Camera)
    assert caught.value.where == str(tmp_path / "other.yaml")


def test_a_file_extends_several_and_later_ones_win(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("lens: {focal_mm: 50, mount: M}\nfast: true\n")
    (tmp_path / "b.yaml").write_text("lens: {focal_mm: 80}\nfilters: [uv]\n")
    (tmp_path / "own.yaml").write_text("extends: [a.yaml, b.yaml]\nfast: false\n")
    camera = load(tmp_path / "own.yaml", Camera)
    assert camera == Camera(lens=Lens(focal_mm=80, mount="M"), filters=("uv",), fast=False)


def test_an_alternative_replaces_the_one_that_it_extends(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        "a: {normal: {mean: 1, std: 2}, note: x}\nb: {uniform: 1}\n"
    )
    (tmp_path / "own.yaml").write_text(
        "extends: base.yaml\na: {uniform: 3}\nb: {uniform: 4, note: y}\n"
    )
    document = read(tmp_path / "own.yaml", {"normal", "uniform"})
    assert document.data == {"a": {"uniform": 3}, "b": {"uniform": 4, "note": "y"}}
    assert document.where(("a", "uniform")) == f"{tmp_path / 'own.yaml'}:2 (a.uniform)"


def test_part_of_an_alternative_may_change(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("a: {normal: {mean: 1, std: 2}}\n")
    (tmp_path / "own.yaml").write_text("extends: base.yaml\na: {normal: {std: 3}}\n")
    document = read(tmp_path / "own.yaml", {"normal", "uniform"})
    assert document.data == {"a": {"normal": {"mean": 1, "std": 3}}}


@pytest.mark.parametrize("value", ["3", "[]", "[1]", "{a: b}"])
def test_extends_names_files(tmp_path: Path, value: str) -> None:
    (tmp_path / "own.yaml").write_text(f"fast: true\nextends: {value}\n")
    with pytest.raises(SpecError, match="extends: expected") as caught:
        load(tmp_path / "own.yaml", Camera)
    assert caught.value.where == f"{tmp_path / 'own.yaml'}:2 (extends)"


def test_a_mistake_in_an_extended_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("\nlens: {focal_m: 50}\n")
    (tmp_path / "own.yaml").write_text("extends: base.yaml\n")
    with pytest.raises(SpecError) as caught:
        load(tmp_path / "own.yaml", Camera)
    assert caught.value.where == f"{tmp_path / 'base.yaml'}:2 (lens.focal_m)"


def test_a_file_cannot_extend_itself(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    with pytest.raises(SpecError, match="extends itself"):
        load(tmp_path / "a.yaml", Camera)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", "folder"])
def test_unreadable_files(tmp_path: Path, content: bytes | str | None) -> None:
    path = tmp_path / "spec.yaml"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "folder":
        path.mkdir()
    with pytest.raises(SpecError, match="cannot read the file") as caught:
        load(path, Camera)
    assert caught.value.where == str(path)
