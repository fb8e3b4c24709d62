"""What `clearcoat gap` refuses, when, and what it leaves behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from clearcoat.cli import main
from clearcoat.dataset import DatasetWriter, LabelRaster, Record
from clearcoat.report import gap as gap_package
from clearcoat.report.gap.compare import Gap, Measured, Slivers
from clearcoat.report.gap.page import sliver_sentence
from clearcoat.training import RunFolder
from clearcoat.training.folder import CONFIG


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gap") / "photos"
    writer = DatasetWriter.create(path, ("box",), {"kind": "test"})
    random = np.random.default_rng(0)
    for index in range(4):
        image = random.integers(0, 256, (24, 24, 3)).astype(np.uint8)
        planes = np.zeros((1, 24, 24), dtype=np.bool_)
        planes[0, 6:18, 6:18] = True
        writer.write(Record(index=index, image=image, labels=LabelRaster.from_planes(planes)))
    return path


@pytest.fixture
def unfinished(tmp_path: Path) -> Path:
    run = tmp_path / "unfinished"
    run.mkdir()
    (run / CONFIG).write_text("{}")
    (run / "best.pt").write_bytes(b"")
    assert RunFolder(run).has(CONFIG)
    return run


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--run", "missing"), ("not a run", "no such folder", "do:")),
        (("--run", "unfinished"), ("the run is not finished", "do:")),
        (("--run", "unfinished/best.pt"), ("not a run", "a file", "name the folder", "unfinished")),
        (("--run", "missing", "--device", "gpu"), ("no such device", "do:", "--device auto")),
        (("--device", "cpu"), ("--device", "without --run", "do:")),
    ],
)
def test_it_is_refused_before_anything_is_measured_and_leaves_no_folder(
    options: tuple[str, ...],
    says: tuple[str, ...],
    photos: Path,
    unfinished: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(unfinished.parent)
    monkeypatch.setattr(gap_package, "measure", lambda *_: pytest.fail("measured first"))
    out = ["--out", "new/folder/gap.html"]
    with pytest.raises(SystemExit) as exit_:
        main(["gap", "--real", str(photos), "--synthetic", str(photos), *options, *out])
    assert exit_.value.code == 2
    printed = capsys.readouterr().err
    assert all(text in printed for text in says), printed
    assert not Path("new").exists()


def test_the_page_stays_in_its_new_folder(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "gap.html"
    main(["gap", "--real", str(photos), "--synthetic", str(photos), "--out", str(out)])
    assert out.is_file()


def test_classes_of_any_name_can_be_pasted_into_the_spec() -> None:
    none = Measured("none", (), (), {}, {}, {})
    slivers = (Slivers("no", 0.1, 0.5), Slivers("a: b", 0.2, 0.3), Slivers("Tür", 0.3, 0.2))
    told = sliver_sentence(Gap(none, none, 64, (), slivers))
    line = told[told.index("{") : told.index("}") + 1]
    assert yaml.safe_load(line) == {"no": 0.1, "a: b": 0.2, "Tür": 0.3}


def test_one_tiny_image_does_not_decide_for_all(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = DatasetWriter.create(tmp_path / "renders", ("box",), {"kind": "test"})
    for index, side in enumerate((24, 24, 12, 24)):
        labels = LabelRaster.from_planes(np.ones((1, side, side), dtype=np.bool_))
        image = np.zeros((side, side, 3), dtype=np.uint8)
        writer.write(Record(index=index, image=image, labels=labels))
    with pytest.raises(SystemExit):
        main(["gap", "--real", str(photos), "--synthetic", str(tmp_path / "renders")])
    printed = capsys.readouterr().err
    assert "renders, record 2" in printed and "12 × 12 pixels" in printed and "do:" in printed
    main(["gap", "--real", str(photos), "--synthetic", str(photos)])
    assert "Compared at 24 pixels" in capsys.readouterr().out
