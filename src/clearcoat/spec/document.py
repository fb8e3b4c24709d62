"""Read one YAML file into a model, and say file, line and key of everything wrong in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from clearcoat.errors import SpecError, did_you_mean
from clearcoat.spec.paths import Place, path_places, rebased
from clearcoat.spec.yaml_text import Key, dotted, plain_data, shorten

ModelT = TypeVar("ModelT", bound=BaseModel)
_WANTS_A_MAPPING = ("model_type", "dict_type", "union_tag_not_found")
"""Problems that anything but a mapping has where one is wanted, in pydantic's names."""


@dataclass(frozen=True)
class Document:
    """A parsed YAML file: plain data, and the place (`file:line`) of every key."""

    source: str
    data: Any
    places: Mapping[Key, str] = field(repr=False)

    def where(self, key: Key) -> str:
        """Return `file:line (key)`, falling back to the nearest enclosing key."""
        probe = key
        while probe and probe not in self.places:
            probe = probe[:-1]
        name = dotted(key)
        return self.places.get(probe, self.source) + (f" ({name})" if name else "")


def load(
    path: Path,
    model: type[ModelT],
    *,
    context: dict[str, Any] | None = None,
    alternatives: Set[str] = frozenset(),
) -> ModelT:
    """Read and validate a YAML file; `alternatives` as for `read`.

    Raises:
        SpecError: the file is missing, not YAML, or does not fit the model.
    """
    return parse(read(path, alternatives, model), model, context=context)


def read(
    path: Path, alternatives: Set[str] = frozenset(), model: type[BaseModel] | None = None
) -> Document:
    """Read a YAML file without validating it.

    A top-level key `extends` names another file (or several), relative to this one, whose content
    this one adds to: mappings are merged key by key, anything else is replaced. Of the keys in
    `alternatives` a mapping has one at most: where this file chooses another one than the file it
    extends, the whole mapping is replaced. Paths, as far as `model` has them, are relative to the
    file that they are written in, and are returned relative to this one.

    Raises:
        SpecError: a file is missing, unreadable, not UTF-8, not YAML, repeats a key, or extends
            itself.
    """
    return _read(path, (), alternatives, frozenset() if model is None else path_places(model))


def _read(
    path: Path,
    extended_by: tuple[Path, ...],
    alternatives: Set[str],
    paths: frozenset[Place],
) -> Document:
    if path.resolve() in extended_by:
        raise SpecError(
            "the file extends itself",
            where=extended_by[-1],
            found=" -> ".join(p.name for p in (*extended_by, path)),
            do="remove one `extends`",
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SpecError(
            "cannot read the file",
            where=path,
            found=reason,
            expected="a YAML file",
            do="check the path",
        ) from error
    document = read_text(text, str(path))
    names = extended(document)
    if not names:
        return document
    # Later files win over earlier ones, and this one over all of them.
    merged: Document | None = None
    for name in names:
        other = path.parent / name
        parent = _read(other, (*extended_by, path.resolve()), alternatives, paths)
        if not isinstance(parent.data, dict):
            raise SpecError(
                "a file that others extend must hold keys and values",
                where=other,
                found=repr(parent.data)[:80],
                do=f"mend it, or leave it out of `extends` in {path.name}",
            )
        data = rebased(parent.data, paths, other.parent, path.parent)
        parent = replace(parent, data=data)
        merged = parent if merged is None else _extend(merged, parent, alternatives)
    assert merged is not None
    return _extend(merged, document, alternatives)


def extended(document: Document) -> list[str]:
    """Return the names of the files that a document extends, as they are written.

    Raises:
        SpecError: `extends` holds something else.
    """
    if not isinstance(document.data, dict) or "extends" not in document.data:
        return []
    names = document.data["extends"]
    names = names if isinstance(names, list) else [names]
    if not names or not all(isinstance(name, str) for name in names):
        raise SpecError(
            "extends: expected the name of a file, or a list of them",
            where=document.where(("extends",)),
            found=repr(document.data["extends"]),
        )
    return names


def _extend(parent: Document, child: Document, alternatives: Set[str]) -> Document:
    places = dict(parent.places)

    def merge(old: Any, new: Any, key: Key) -> Any:
        both = isinstance(old, dict) and isinstance(new, dict)
        if both and alternatives & new.keys() <= old.keys():
            merged = dict(old)
            for name, value in new.items():
                merged[name] = merge(old[name], value, (*key, name)) if name in old else value
            return merged
        for place in [place for place in places if place[: len(key)] == key]:
            del places[place]
        return new

    own = {name: value for name, value in child.data.items() if name != "extends"}
    data = merge(parent.data, own, ())
    return Document(source=child.source, data=data, places={**places, **child.places})


def read_text(text: str, source: str) -> Document:
    """Like `read`, for text that is already in memory."""
    data, places = plain_data(text, source)
    return Document(source=source, data={} if data is None else data, places=places)


def parse(
    document: Document, model: type[ModelT], *, context: dict[str, Any] | None = None
) -> ModelT:
    """Validate a document; every problem is reported at once, each with its line.

    Raises:
        SpecError: the document does not fit the model.
    """
    try:
        return model.model_validate(document.data, context=context)
    except ValidationError as error:
        first, *others = mistakes(error, document.data, model)
        for mistake in (first, *others):
            mistake.where = document.where(mistake.key)
        if others:
            more = "\n".join(
                f"  also {other.where}: {other.what}" + (f" - {other.do}" if other.do else "")
                for other in others
            )
            first.do = (first.do or "mend the value") + "\n" + more
        raise first from error


def mistakes(
    error: ValidationError, data: Any, model: type[BaseModel], noun: str = "key"
) -> list[SpecError]:
    """Return in words what of `data` does not fit the model, each with its key in the data.

    `noun` is what a key is called.
    """
    problems = _most_telling(data, error.errors(include_url=False))
    return [_explain(key, problem, model, noun) for key, problem in problems.items()]


def _key_in_data(data: Any, problem: ErrorDetails) -> Key:
    """Return where in the file a problem is: pydantic also names branches of unions."""
    key: Key = ()
    for position, part in enumerate(problem["loc"]):
        present = (
            part in data
            if isinstance(data, dict)
            else isinstance(data, list | tuple) and isinstance(part, int) and part < len(data)
        )
        if present:
            data = data[part]
            key = (*key, part)
        elif problem["type"] == "missing" and position == len(problem["loc"]) - 1:
            key = (*key, part)
    return key


def _most_telling(data: Any, problems: list[ErrorDetails]) -> dict[Key, ErrorDetails]:
    """Keep the most telling problems: a union reports each of its branches.

    The deepest place wins over the places around it, and an unknown key over the key that is
    missing beside it, since the one is most often the other misspelt.
    """
    places = [_key_in_data(data, problem) for problem in problems]
    unknown_in = {
        place[:-1]
        for place, problem in zip(places, problems, strict=True)
        if problem["type"] == "extra_forbidden"
    }
    kept: dict[Key, ErrorDetails] = {}
    for place, problem in zip(places, problems, strict=True):
        if any(len(other) > len(place) and other[: len(place)] == place for other in places):
            continue
        if problem["type"] == "missing" and place[:-1] in unknown_in:
            continue
        kept.setdefault(place, problem)
    return kept


def _explain(place: Key, problem: ErrorDetails, model: type[BaseModel], noun: str) -> SpecError:
    name = _name(place)
    given = problem["input"]
    if problem["type"] == "extra_forbidden":
        known = _known_keys(model, problem["loc"][:-1])
        return SpecError(
            f"unknown {noun} {name!r}", key=place, do=did_you_mean(name, known) if known else None
        )
    if problem["type"] == "missing":
        return SpecError(f"{noun} {name!r} is missing", key=place, do=f"add {name!r} here")
    if problem["type"] == "union_tag_invalid":
        tag = str(problem["ctx"]["tag"])
        known = re.findall(r"'([^']*)'", problem["ctx"]["expected_tags"])
        pairs = given.items() if isinstance(given, Mapping) else ()
        written = [key for key, value in pairs if value == tag]
        return SpecError(
            f"{name}: unknown kind {tag!r}",
            key=(*place, *written[:1]),
            expected="one of " + ", ".join(known),
            do=did_you_mean(tag, known),
        )
    cause = problem.get("ctx", {}).get("error")
    if isinstance(cause, SpecError):
        return SpecError(
            cause.what,
            key=(*place, *cause.key),
            found=cause.found,
            expected=cause.expected,
            do=cause.do,
        )
    if problem["type"] == "path_type":
        return SpecError(
            f"{name}: not a path",
            key=place,
            found=shorten(repr(given)),
            expected="the path of a file or folder, as text",
        )
    if problem["type"] in _WANTS_A_MAPPING and not isinstance(given, Mapping):
        return SpecError(
            f"{name}: not a mapping",
            key=place,
            found=shorten(repr(given)),
            expected=f"{noun}s and their values",
        )
    message = problem["msg"].removeprefix("Value error, ")
    # What contradicts itself somewhere in the whole document is not told by its beginning.
    whole = not place and problem["type"] == "value_error"
    return SpecError(
        f"{name}: {message[:1].lower()}{message[1:]}",
        key=place,
        found=None if whole else shorten(repr(given)),
        do=_literal_advice(problem),
    )


def _name(key: Key) -> str:
    """Return the last name in a key, with the positions in its list."""
    names = [position for position, part in enumerate(key) if isinstance(part, str)]
    return dotted(key[names[-1] if names else 0 :]) or "the document"


def _literal_advice(problem: ErrorDetails) -> str | None:
    if problem["type"] not in {"literal_error", "enum"} or not isinstance(problem["input"], str):
        return None
    return did_you_mean(problem["input"], re.findall(r"'([^']*)'", problem["ctx"]["expected"]))


def _known_keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """Names of the keys allowed at a location, found by walking the JSON Schema."""
    schema = model.model_json_schema(by_alias=True)
    nodes = [schema]
    for part in loc:
        following: list[dict[str, Any]] = []
        expanded = _expand(nodes, schema)
        for node in expanded:
            if isinstance(part, int):
                following += [node["items"]] if "items" in node else node.get("prefixItems", [])
            elif part in node.get("properties", {}):
                following.append(node["properties"][part])
            elif isinstance(node.get("additionalProperties"), dict):
                following.append(node["additionalProperties"])
        # A part that is no key names a branch of a union: that of the kind, else stay where we are.
        nodes = following or [node for node in expanded if _is_of_kind(node, part)] or nodes
    return sorted({key for node in _expand(nodes, schema) for key in node.get("properties", {})})


def _is_of_kind(node: dict[str, Any], kind: str | int) -> bool:
    return any(value.get("const") == kind for value in node.get("properties", {}).values())


def _expand(nodes: list[dict[str, Any]], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Resolve references and unions into plain object schemas."""
    result: list[dict[str, Any]] = []
    queue = list(nodes)
    while queue:
        node = queue.pop()
        if "$ref" in node:
            queue.append(schema["$defs"][node["$ref"].rsplit("/", 1)[-1]])
        for union in ("anyOf", "oneOf", "allOf"):
            queue += node.get(union, [])
        result.append(node)
    return result
