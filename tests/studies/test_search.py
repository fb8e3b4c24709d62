"""The search draws within its space, judges by validation, and can be gone on with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from clearcoat.cli import group, main
from clearcoat.errors import DivergedError, MissingDependencyError, SpecError, UsageError
from clearcoat.studies import search as module
from clearcoat.studies.search import SearchSpec, best, load_search, search
from tests.studies.conftest import TRAINING

pytest.importorskip("optuna")


def _spec(data: Path, **changes: Any) -> SearchSpec:
    training = {k: v for k, v in TRAINING.items() if k not in ("batch_size", "learning_rate")}
    values: dict[str, Any] = {
        "real": data / "photos",
        "trials": 3,
        "size": 16,
        "training": training | {"channels_last": "on"},
        "space": {"batch_size": (2, 4)},
    }
    return SearchSpec.model_validate(values | changes)


def _peak(spec: SearchSpec, monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, int, float]]:
    """Replace training by a score that is best at dropout 0.4; return what was asked for."""
    asked = []

    def score(config: Any, sources: Any, out: Path, **_: Any) -> dict[str, Any]:
        asked.append((config.model.dropout, config.batch_size, config.learning_rate))
        if len(asked) == 2:
            raise DivergedError("the loss is no longer a finite number")
        return {"validation": {"mean_iou": 1 - abs(config.model.dropout - 0.4)}}

    monkeypatch.setattr(module, "run_training", score)
    return asked


def test_trials_train_and_are_written_down(data: Path, tmp_path: Path) -> None:
    told = []
    trials = search(_spec(data), tmp_path, told=lambda trial, top: told.append((trial, top)))
    assert [trial.number for trial in trials] == [0, 1, 2]
    assert [trial for trial, _ in told] == trials and told[-1][1] == best(trials)
    content = json.loads((tmp_path / "search.json").read_text())
    assert content["trials"] == [trial.as_json() for trial in trials]
    runs = [json.loads(f.read_text()) for f in tmp_path.glob("runs/*/metrics.json")]
    assert {run["validation"]["mean_iou"] for run in runs} == {t.mean_iou for t in trials}
    assert all(run["test"] is None for run in runs)


@pytest.mark.parametrize("name", ["study.json", "ledger.jsonl"])
def test_the_folder_of_a_study_is_refused(name: str, data: Path, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    with pytest.raises(UsageError, match="the folder holds a study") as raised:
        search(_spec(data), tmp_path)
    assert (raised.value.where, raised.value.found) == (str(tmp_path), name)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_it_finds_the_peak_within_the_space_and_notes_divergence(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = _spec(data, trials=40, prune=False)
    asked = _peak(spec, monkeypatch)
    trials = search(spec, tmp_path)
    assert len(trials) == len(asked) == 40
    assert [trial.state for trial in trials].count("diverged") == 1
    for dropout, batch, rate in asked:
        assert 0 <= dropout <= 0.6 and batch in (2, 4) and 1e-4 <= rate <= 1e-2
    top = best(trials)
    assert top is not None and abs(top.values["dropout"] - 0.4) < 0.05


def test_an_interrupted_trial_is_taken_up_with_its_values(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = _spec(data, trials=4)
    asked: list[tuple[Any, Path]] = []

    def killed(config: Any, sources: Any, out: Path, **_: Any) -> dict[str, Any]:
        asked.append((config, out))
        if len(asked) == 2:
            raise KeyboardInterrupt
        return {"validation": {"mean_iou": 0.5}}

    monkeypatch.setattr(module, "run_training", killed)
    with pytest.raises(KeyboardInterrupt):
        search(spec, tmp_path)
    trials = search(spec, tmp_path)
    assert len(trials) == 4 and len(asked) == 5
    assert asked[1] == asked[2]
    assert len({out for _, out in asked}) == 4
    # A finished search runs nothing; more trials may be asked for.
    assert search(spec, tmp_path) == trials and len(asked) == 5
    assert search(_spec(data, trials=5), tmp_path)[:4] == trials and len(asked) == 6
    with pytest.raises(UsageError, match="other data or settings"):
        search(_spec(data, trials=4, seed=1), tmp_path)


@pytest.mark.parametrize("drawn", [0, 1])
def test_a_trial_that_was_cut_off_before_its_values_were_drawn_counts_once(
    drawn: int, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = _spec(data, trials=2)
    monkeypatch.setattr(module, "run_training", lambda *_, **__: {"validation": {"mean_iou": 0.5}})
    distributions = dict(list(module._distributions(spec.space).items())[:drawn])

    def killed(study: Any, **_: Any) -> Any:
        ask(study, distributions)
        raise KeyboardInterrupt

    import optuna

    ask = optuna.Study.ask
    with monkeypatch.context() as patch:
        patch.setattr(optuna.Study, "ask", lambda study, _: killed(study))
        with pytest.raises(KeyboardInterrupt):
            search(spec, tmp_path)
    trials = search(spec, tmp_path)
    assert [trial.state for trial in trials] == ["complete"] * 2
    assert all(set(trial.values) == set(module._distributions(spec.space)) for trial in trials)


def test_a_trial_whose_taking_up_was_cut_off_is_taken_up_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import optuna

    spec = _spec(data, trials=2)
    asked: list[Any] = []

    def train(config: Any, *_: Any, **__: Any) -> dict[str, Any]:
        asked.append(config)
        if len(asked) == 1:
            raise KeyboardInterrupt
        return {"validation": {"mean_iou": 0.5}}

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "run_training", train)
    with pytest.raises(KeyboardInterrupt):
        search(spec, tmp_path)
    for name in ("enqueue_trial", "tell"):
        with monkeypatch.context() as patch:
            patch.setattr(optuna.Study, name, killed)
            with pytest.raises(KeyboardInterrupt):
                search(spec, tmp_path)
    trials = search(spec, tmp_path)
    assert [trial.state for trial in trials] == ["complete"] * 2
    assert len(asked) == 3 and asked[0] == asked[1] != asked[2]


@pytest.mark.parametrize("below", ["", "search"])
def test_a_file_in_the_place_of_the_folder_is_named(
    below: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes").write_text("mine")
    out = tmp_path / "notes" / below
    file = data / "search.yaml"
    file.write_text("real: photos\ntrials: 1\nsize: 32\n")
    with pytest.raises(SystemExit) as caught:
        main(["study", "search", str(file), "--out", str(out)])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert f"where:    {out}" in said and "found:    " in said
    assert "do:       a file stands where a folder is needed" in said


def test_a_hopeless_trial_is_given_up(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.5] * 6 + [0.1])

    def train(config: Any, sources: Any, out: Path, observer: Any, **_: Any) -> dict[str, Any]:
        score = next(scores)
        observer.on_phase(None, 0, 1)
        for epoch in range(6):
            observer.on_evaluation({"validation_mean_iou": score, "epoch": epoch})
        return {"validation": {"mean_iou": score}}

    monkeypatch.setattr(module, "run_training", train)
    trials = search(_spec(data, trials=7), tmp_path)
    assert [trial.state for trial in trials] == ["complete"] * 6 + ["pruned"]


def test_a_trial_that_is_taken_up_is_compared_with_the_same_epochs(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[str] = []

    def train(config: Any, sources: Any, out: Path, observer: Any, **_: Any) -> dict[str, Any]:
        # The seventh is worse than the others at every epoch, and killed at its third.
        again, worse = out.name in trained, len(set(trained) - {out.name}) == 6
        trained.append(out.name)
        observer.on_phase(None, 0, 1)
        for epoch in range(3 if again else 0, 8):
            if worse and not again and epoch == 3:
                raise KeyboardInterrupt
            score = 0.1 * epoch - 0.05 * worse
            observer.on_evaluation({"validation_mean_iou": score, "epoch": epoch})
        return {"validation": {"mean_iou": score}}

    monkeypatch.setattr(module, "run_training", train)
    with pytest.raises(KeyboardInterrupt):
        search(_spec(data, trials=7), tmp_path)
    trials = search(_spec(data, trials=7), tmp_path)
    assert [trial.state for trial in trials] == ["complete"] * 6 + ["pruned"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ("training: {learning_rate: 0.1}", "the search's own to choose"),
        ("space: {dropout: {low: 0.5, high: 0.2}}", "not below high"),
        ("space: {batch_size: []}", "at least one size"),
        ("training: {mode: paper}", "no test images"),
        ("seed: 4294967296", "less than"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(changes: str, says: str, tmp_path: Path) -> None:
    assert says in str(_refused(tmp_path, f"real: photos\n{changes}\n"))


def _refused(folder: Path, text: str) -> SpecError:
    file = folder / "search.yaml"
    file.write_text(text)
    with pytest.raises(SpecError) as caught:
        load_search(file)
    return caught.value


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("training:\n  max_stepss: 2", "3 (training.max_stepss)", "did you mean 'max_steps'?"),
        ("training:\n  augment: stron", "3 (training.augment)", "did you mean 'strong'?"),
        ("training:\n  model: unet", "3 (training.model)", "not a mapping"),
        ("training:\n  model: null", "3 (training.model)", "not a mapping"),
        ("training:\n  seed: 3", "3 (training.seed)", "the search's own to choose"),
        ("\nsize: 17", "3 (size)", "use 16"),
        ("recipe: papr", "2 (recipe)", "did you mean 'paper'?"),
    ],
)
def test_a_mistake_of_a_search_is_told_at_its_line(
    text: str, where: str, says: str, tmp_path: Path
) -> None:
    error = _refused(tmp_path, f"real: photos\n{text}\n")
    assert str(error.where).endswith(f"search.yaml:{where}")
    assert says in str(error)


def test_a_search_without_data_is_told_which_keys_give_it(tmp_path: Path) -> None:
    error = _refused(tmp_path, "trials: 3\n")
    assert error.what == "nothing to train on" and "search.yaml:1" in str(error.where)
    assert error.do == "add `real`, `synthetic`, or both"


def test_the_command_prints_the_options_to_train_with(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _peak(_spec(data), monkeypatch)
    file = data / "search.yaml"
    file.write_text("real: photos\ntrials: 3\nsize: 32\n")
    arguments = ["study", "search", str(file), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(group, arguments)
    assert result.exit_code == 0, result.output
    assert "3 trials: 2 complete, 0 given up early, 1 diverged" in result.output
    assert "clearcoat train --dropout 0." in result.output


def test_optuna_is_an_extra(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError) as caught:
        search(_spec(data), tmp_path / "out")
    assert "clearcoat[search]" in str(caught.value)
    assert not (tmp_path / "out").exists()
