"""Table II by command line."""

from __future__ import annotations

import json

import pytest

from clearcoat.cli import main


def test_models_prints_table_ii(capsys: pytest.CaptureFixture[str]) -> None:
    main(["models"])
    table = capsys.readouterr().out
    for figure in ("7,772,104", "7,766,216", "23.86", "3.83", "10.11", "2.34", "26.59", "6.56"):
        assert figure in table


def test_models_counts_for_other_numbers_of_classes(capsys: pytest.CaptureFixture[str]) -> None:
    counts = {}
    for classes in (3, 8):
        main(["models", "--classes", str(classes), "--json"])
        document = json.loads(capsys.readouterr().out)
        assert document["classes"] == classes
        counts[classes] = [row["total"] for row in document["architectures"]]
    # One class fewer: 32 weights and a bias of the head.
    assert counts[8][0] - counts[3][0] == 5 * 33
    with pytest.raises(SystemExit):
        main(["models", "--classes", "0"])
