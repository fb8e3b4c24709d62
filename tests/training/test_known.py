"""Photos that a run knows are not scored as if no training had seen them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clearcoat.cli import main
from clearcoat.errors import UsageError
from clearcoat.report.facts import read_run
from clearcoat.report.report import write_report
from clearcoat.training import SelfTraining, Sources, run_training
from clearcoat.training.folder import KNOWN
from clearcoat.training.known import known_of, known_photos

from .conftest import MakeDataset
from .tiny import tiny_config


@pytest.fixture
def trained(sources: Sources, tmp_path: Path) -> Path:
    out = tmp_path / "trained"
    run_training(tiny_config(real_count=4, validation_count=2), sources, out)
    return out


def test_a_run_knows_what_it_trains_and_stops_on(sources: Sources, trained: Path) -> None:
    assert sources.real is not None and sources.test is not None
    assert known_of(trained, sources.real) == 4 + 2
    assert known_of(trained, sources.test) == 0
    chosen = json.loads((trained / "config.json").read_text())["images"]
    numbers = {*chosen["real"], *chosen["held_back"]["real"]}
    assert known_of(trained, sources.real.subset(numbers)) == len(numbers)


def test_photos_without_labels_and_those_of_its_start_are_known(
    sources: Sources, squares: MakeDataset, trained: Path, tmp_path: Path
) -> None:
    more = squares("more", 5, seed=9)
    own = tiny_config(mix="balanced", real_count=2, self_training=SelfTraining(max_steps=1))
    run_training(own, replace(sources, unlabelled=more), tmp_path / "own", init=trained)
    assert known_of(tmp_path / "own", more) == 5
    before = known_photos(trained)
    after = known_photos(tmp_path / "own")
    assert before is not None and after is not None and before < after
    again = tiny_config(real_count=2, synthetic_count=0)
    run_training(again, sources, tmp_path / "again", init=tmp_path / "own")
    said = json.loads((tmp_path / "again" / "config.json").read_text())["before"]
    assert said["unlabelled"] == 5
    with pytest.raises(UsageError, match="the run to start from") as caught:
        run_training(again, replace(sources, test=more), tmp_path / "no", init=tmp_path / "own")
    assert "5 of the 5" in str(caught.value.found)
    assert not (tmp_path / "no").exists()


def test_a_start_that_was_trained_on_photos_to_stop_on_is_noted(
    sources: Sources, trained: Path, tmp_path: Path
) -> None:
    def notes(name: str, start: Path, **changes: Any) -> list[str]:
        config = tiny_config(synthetic_count=0, max_steps=1, **changes)
        metrics = run_training(config, sources, tmp_path / name, init=start)
        return [note for note in metrics["notes"] if "stopped late" in note]

    # Photos that the start stopped on itself are none that it was trained on.
    assert not notes("same", trained)
    assert not notes("further", tmp_path / "same")
    [note] = notes("other", trained, seed=1, validation_count=12 - 3, real_count=3)
    assert "of the 9 photos that decide when to stop" in note
    # Once trained on, always known, however many runs lie between.
    assert notes("last", tmp_path / "other", seed=2, validation_count=9, real_count=3)


def test_photos_of_a_run_and_of_its_start_are_counted_once(
    sources: Sources, trained: Path, tmp_path: Path
) -> None:
    config = tiny_config(synthetic_count=0, max_steps=1, seed=1, real_count=4, validation_count=2)
    run_training(config, sources, tmp_path / "other", init=trained)
    images = [
        {*json.loads((run / "config.json").read_text())["images"]["real"]}
        for run in (trained, tmp_path / "other")
    ]
    together = len(images[0] | images[1])
    assert together > 4
    assert read_run(trained).real == 4
    assert read_run(tmp_path / "other").real == together
    run_training(config, sources, tmp_path / "third", init=tmp_path / "other")
    said = json.loads((tmp_path / "third" / "config.json").read_text())["before"]
    assert said["real"] == together


def test_paper_mode_knows_the_photos_that_it_stops_on(sources: Sources, tmp_path: Path) -> None:
    run_training(tiny_config(mode="paper", mix="balanced"), sources, tmp_path / "run")
    assert sources.test is not None
    assert known_of(tmp_path / "run", sources.test) == len(sources.test)


@pytest.mark.parametrize("photos", [True, False])
def test_a_start_of_an_earlier_version_is_told_where_it_saw_photos(
    photos: bool, sources: Sources, tmp_path: Path
) -> None:
    given = sources if photos else Sources(synthetic=sources.synthetic)
    run_training(tiny_config(), given, tmp_path / "old")
    (tmp_path / "old" / KNOWN).unlink()
    assert known_photos(tmp_path / "old") == (None if photos else frozenset())
    config = tiny_config(synthetic_count=0)
    metrics = run_training(config, sources, tmp_path / "new", init=tmp_path / "old")
    assert any("did not write down its photos" in note for note in metrics["notes"]) is photos
    # What is not known of a start is not known of what came of it, however far.
    again = known_photos(tmp_path / "new")
    assert (again is None) is photos


def test_a_report_scores_no_run_on_photos_that_it_knows(
    sources: Sources, trained: Path, tmp_path: Path
) -> None:
    assert sources.real is not None
    with pytest.raises(UsageError, match="a run of the report") as caught:
        write_report(tmp_path / "report.html", runs=[trained], test=sources.real.path)
    assert str(trained) in str(caught.value)
    assert not (tmp_path / "report.html").exists()


def test_evaluate_says_how_many_images_a_run_knows(
    sources: Sources, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sources.real is not None and sources.test is not None
    for data, known in ((sources.real, 6), (sources.test, 0)):
        command = ["evaluate", str(trained), "--data", str(data.path)]
        main(command)
        told = capsys.readouterr().out
        assert ("trained or stopped on 6 of these 12 images" in told) is (known > 0)
        main([*command, "--json"])
        assert json.loads(capsys.readouterr().out)["known_images"] == known
