"""The command line as a whole: help, mistakes, layers."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from clearcoat.cli import VERBS, group, main


def test_help_names_every_verb_and_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from clearcoat.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'torch', 'mitsuba', 'scipy', 'pydantic', 'PIL', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr.strip() == "[]"
    for verb in VERBS:
        assert f"  {verb} " in run.stdout


def test_what_an_old_code_page_lacks_is_no_traceback() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "clearcoat", "materials", "chrome"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        check=False,
    )
    # In place of the bar in the material's colour.
    assert (run.returncode, run.stderr) == (0, b"")
    assert b"??? #" in run.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    result = CliRunner().invoke(group, [verb, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage: " in result.output
    # What its own commands do is said in whole sentences.
    assert "..." not in result.output.partition("Commands:")[2]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rendr"], "did you mean 'render'?"),
        (["render", "missing.yaml", "--count", "1", "--out", "x"], "missing.yaml"),
        (["render", "missing.yaml", "--out", "x"], "--count"),
        (["render", "a.yaml", "--count", "1", "--out", "x", "--size", "big"], "not a picture size"),
        (["render", "a.yaml", "--count", "1", "--out", "x", "--size", "9" * 5000], "picture size"),
        (["gap", "--real", "a", "--synthetic", "b", "--out", "/dev/null/x.html"], "cannot write"),
        (["preview", "a.yaml", "--out", "x.gif"], ".png or .jpg"),
        (["inspect", "missing.glb"], "missing.glb"),
        (["dataset", "check", "missing"], "missing"),
        (["evaluate", "missing", "--data", "missing"], "missing"),
    ],
)
def test_a_users_mistake_exits_2_without_a_traceback(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    printed = capsys.readouterr()
    assert says in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_no_traceback() -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "clearcoat", "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert run.returncode == 2
    assert "no space left" in run.stderr
    assert "free some space" in run.stderr
    assert "Traceback" not in run.stderr


def test_what_the_system_refuses_for_another_reason_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(**_: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "try again")

    monkeypatch.setattr(group, "main", broken)
    with pytest.raises(BlockingIOError):
        main(["schema"])
