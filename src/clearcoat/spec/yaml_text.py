"""YAML text as plain data, with the line of every key; what is wrong in it is a SpecError."""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.reader import ReaderError

from clearcoat.errors import SpecError

Key = tuple[str | int, ...]


_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """YAML 1.1 as PyYAML reads it, with YAML 1.2's numbers and booleans, and without dates.

    Under YAML 1.1 `1e-3` is a string, `no` is False, `4:3` is 243, `010` is 8, and a label that
    looks like a day is a date: all of them surprise the writer of a spec.
    """

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Return the number that is written in decimal, octal (`0o`) or hexadecimal (`0x`)."""
        text = self.construct_scalar(node)
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Put what `<<` merges before a mapping's own pairs, without what these say otherwise.

        Of several sources the first wins, which PyYAML puts last. A mapping's own pairs all stay,
        so that a key that stands twice can be told.
        """
        own = [pair for pair in node.value if pair[0].tag != _MERGE]
        super().flatten_mapping(node)
        merged = {_name(key): (key, value) for key, value in node.value[: -len(own) or None]}
        for key, _ in own:
            merged.pop(_name(key), None)
        node.value = [*merged.values(), *own]


def _name(key: yaml.Node) -> object:
    return (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key)


_RETYPED = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "timestamp"))
_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] not in _RETYPED]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
# Before the numbers with a fraction, which may have none.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"^[-+]?[0-9]+$|^0o[0-7]+$|^0x[0-9a-fA-F]+$"),
    list("-+0123456789"),
)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$|^[-+]?\.(inf|Inf)$|^\.nan$"),
    list("-+0123456789."),
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


_MOST_PLACES = 1_000_000


def plain_data(text: str, source: str) -> tuple[Any, dict[Key, str]]:
    """Return the data of a YAML text, None where it is empty, and the place of every key.

    Raises:
        SpecError: not YAML, a key that stands twice, or a value that is not of its tag's type.
    """
    places: dict[Key, str] = {}
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            data = None if node is None else _construct(loader, node, (), places, source)
        finally:
            loader.dispose()
    except ReaderError as error:
        raise SpecError(
            "not valid YAML",
            where=f"{source}:{text.count(chr(10), 0, error.position) + 1}",
            found=f"the character U+{ord(text[error.position]):04X}",
            expected="characters that can be seen, also in comments",
            do="remove it",
        ) from error
    except RecursionError as error:
        raise SpecError(
            "the file is nested too deeply",
            where=source,
            do="see whether an anchor (&name) has its own alias (*name) within it",
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise SpecError(
            "not valid YAML",
            where=f"{source}:{mark.line + 1}" if mark else source,
            found=error.problem,
            do="mend the syntax at this line (indentation and colons are the usual causes)",
        ) from error
    except yaml.YAMLError as error:
        raise SpecError("not valid YAML", where=source, found=str(error)) from error
    return data, places


def _construct(
    loader: yaml.SafeLoader, node: yaml.Node, key: Key, places: dict[Key, str], source: str
) -> Any:
    places.setdefault(key, f"{source}:{node.start_mark.line + 1}")
    if len(places) > _MOST_PLACES:
        raise SpecError(
            "the file is too large once its aliases are written out",
            where=places[key],
            expected=f"at most {_MOST_PLACES:,} keys and values",
            do="use fewer aliases (*name) of aliases",
        )
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        result: dict[Any, Any] = {}
        # Of equal keys, which may be spelt otherwise: 1 and 1.0.
        first: dict[Any, str] = {}
        for key_node, value_node in node.value:
            name = _plain(loader, key_node, source)
            place = f"{source}:{key_node.start_mark.line + 1}"
            if not isinstance(name, str | int | float):
                raise SpecError("a key must be plain text", where=place, found=name)
            if name in result:
                raise SpecError(
                    f"key {name!r} stands twice",
                    where=f"{place} ({dotted((*key, str(name)))})",
                    do=f"remove one (the first is at {first[name]})",
                )
            first[name] = place
            places[(*key, str(name))] = place
            result[name] = _construct(loader, value_node, (*key, str(name)), places, source)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [
            _construct(loader, item, (*key, position), places, source)
            for position, item in enumerate(node.value)
        ]
    return _plain(loader, node, source)


def _plain(loader: yaml.SafeLoader, node: yaml.Node, source: str) -> Any:
    try:
        return loader.construct_object(node, deep=True)
    except (ValueError, KeyError, AttributeError) as error:
        # PyYAML trusts that what is tagged, or looks like a number, is one.
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        raise SpecError(
            f"not a value of YAML's type {kind!r}",
            where=f"{source}:{node.start_mark.line + 1}",
            found=shorten(str(node.value)),
            do=f"mend the value, or remove its tag !!{kind}",
        ) from error


def dotted(key: Key) -> str:
    """Return a key as it is written in messages: `states.door.parts[0]`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text


def shorten(text: str, limit: int = 80) -> str:
    """Return a text, cut to so many characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
