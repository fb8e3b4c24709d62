"""Commands in the documentation and in the scripts of results are ones that clearcoat takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from clearcoat.cli import group
from clearcoat.errors import ClearcoatError

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SCRIPTS = [*sorted((ROOT / "docs").rglob("*.sh")), *sorted(ROOT.glob("examples/**/*.sh"))]
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`clearcoat ([^`]+)`")
_CALL = re.compile(r"(?:^|[\s/])clearcoat (?=[a-z])(.*)")


def _commands() -> Iterator[tuple[str, str]]:
    """Where a command stands, and what follows `clearcoat` in it."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        name = str(page.relative_to(ROOT))
        for block in _BLOCK.findall(text):
            yield from ((name, call) for call in _calls(block))
        yield from ((name, " ".join(call.split())) for call in _INLINE.findall(text))
    for script in SCRIPTS:
        calls = _calls(script.read_text(encoding="utf-8"))
        yield from ((str(script.relative_to(ROOT)), call) for call in calls)


def _calls(shell: str) -> Iterator[str]:
    for line in shell.replace("\\\n", " ").splitlines():
        code = line.lstrip()
        if not code.startswith("#") and (found := _CALL.search(line)):
            yield found[1]


def _refusal(call: str) -> str | None:
    """Let the command read its options, whose values are not looked at; why it does not."""
    words = shlex.split(call, comments=True)
    stop = next((n for n, word in enumerate(words) if word in ("|", ">", "&&", ";")), len(words))
    words = words[:stop]
    command: click.Command = group
    context = click.Context(group, info_name="clearcoat")
    try:
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            name, found, words = command.resolve_command(context, words)
            assert found is not None
            context = click.Context(found, info_name=name, parent=context)
            command = found
        command.make_parser(context).parse_args(args=list(words))
    except click.ClickException as error:
        return error.format_message()
    except ClearcoatError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("where", "call"), [pytest.param(*found, id=f"{found[0]}: {found[1]}") for found in _commands()]
)
def test_a_documented_command_is_one(where: str, call: str) -> None:
    assert _refusal(call) is None, f"{where}: clearcoat {call}"


@pytest.mark.parametrize(
    ("call", "wrong"),
    [("render car.yaml --sise 96", "--sise"), ("dataset stat a", "stat"), ("trian", "trian")],
)
def test_what_is_no_command_is_found(call: str, wrong: str) -> None:
    assert wrong in (_refusal(call) or "")
