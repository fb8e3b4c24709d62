from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record, check_dataset
from clearcoat.dataset.files import create_whole, make_folder, make_folder_of, write_whole
from clearcoat.errors import DatasetError

from .records import CLASSES, make_record

SOURCE = {"fingerprint": "a"}
PARTS = ("x", "y", "z")

# Forks once per system call that touches a file, and dies there without any clean-up.
DIE_AT_EVERY_STEP = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from records import CLASSES, make_record
from clearcoat.dataset import DatasetWriter

record = make_record(0), make_record(1)
TOUCHING = {"open", "os.rename", "os.remove", "os.mkdir", "os.link"}
for step in range(1000):
    child = os.fork()
    if child == 0:
        count = 0
        def die(event, arguments):
            global count
            if event in TOUCHING:
                if count == step:
                    os._exit(9)
                count += 1
        sys.addaudithook(die)
        path = Path(sys.argv[2]) / f"{step:03d}"
        writer = DatasetWriter.create(path, CLASSES, {"fingerprint": "a"}, ("x", "y", "z"))
        for each in record:
            writer.write(each)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        break
"""

WRITE_FOR_EVER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from records import CLASSES, make_record
from clearcoat.dataset import DatasetWriter

writer = DatasetWriter.create(Path(sys.argv[2]), CLASSES, {"fingerprint": "a"}, ("x", "y", "z"))
for index in range(int(sys.argv[3]), 1_000_000, 2):
    writer.write(make_record(index, 200, 200))
"""


def _run(script: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", script, str(Path(__file__).parent), *map(str, arguments)]


def _assert_whole(path: Path) -> None:
    report = check_dataset(Dataset.open(path))
    assert report.clean, report.errors


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_step_it_opens_checks_clean_and_goes_on(tmp_path):
    subprocess.run(_run(DIE_AT_EVERY_STEP, tmp_path), check=True, timeout=120)
    folders = sorted(tmp_path.iterdir())
    assert len(folders) > 30
    unfinished = 0
    for path in folders:
        if (path / "dataset.json").exists():
            _assert_whole(path)
            unfinished += len(Dataset.open(path)) < 2
        writer = DatasetWriter.create(path, CLASSES, SOURCE, PARTS)
        for index in writer.missing(range(2)):
            writer.write(make_record(index))
        report = check_dataset(Dataset.open(path))
        assert report.records == 2
        assert not report.errors
        assert not [found for found in report.warnings if "no record" in found.what]
        assert not list(path.rglob(".writing-*")), "leftovers are cleaned"
    assert unfinished > 20, "the process died before the records were whole"


def test_two_writers_killed_at_work(tmp_path):
    path = tmp_path / "data"
    processes = [
        subprocess.Popen(_run(WRITE_FOR_EVER, path, start), stderr=subprocess.DEVNULL)
        for start in (0, 1)
    ]
    deadline = time.monotonic() + 60
    while len(list((path / "records").glob("0*.json"))) < 12 and time.monotonic() < deadline:
        time.sleep(0.02)
    for process in processes:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(Dataset.open(path)) >= 12
    _assert_whole(path)


def test_another_writers_file_is_left_alone(make_dataset):
    path = make_dataset(0)
    parent = os.getppid()
    host = os.uname().nodename
    running = path / f"images/.writing-{host}-{parent}-{'0' * 32}"
    elsewhere = path / f"images/.writing-elsewhere-1-{'0' * 32}"
    old = path / f"images/.writing-elsewhere-2-{'0' * 32}"
    for file in (running, elsewhere, old):
        file.write_bytes(b"half")
    os.utime(old, (0, 0))
    DatasetWriter.create(path, CLASSES, SOURCE, PARTS)
    assert running.exists()
    assert elsewhere.exists()
    assert not old.exists()
    odd = {found.where for found in check_dataset(Dataset.open(path)).warnings}
    assert odd == {"wheel"}, "files being written are nobody's business"


def test_has_and_missing(make_dataset):
    writer = DatasetWriter.create(make_dataset(4, 1), CLASSES, SOURCE, PARTS)
    assert writer.has(4)
    assert not writer.has(0)
    assert writer.missing(range(5)) == (0, 2, 3)


def test_a_record_can_be_replaced(make_dataset):
    path = make_dataset(0)
    other = make_record(9)
    DatasetWriter.create(path, CLASSES, SOURCE, PARTS).write(Record(0, other.image, other.labels))
    assert np.array_equal(Dataset.open(path).image(0), other.image)
    _assert_whole(path)


def test_the_first_writers_facts_stay(make_dataset):
    path = make_dataset(0)
    DatasetWriter.create(path, CLASSES, {"fingerprint": "a", "kind": "other"}, PARTS)
    assert Dataset.open(path).source["kind"] == "synthetic"


@pytest.mark.parametrize(
    ("classes", "source", "parts", "message"),
    [
        (("hood", "mirror", "wheel"), SOURCE, PARTS, "other classes"),
        (CLASSES, {"fingerprint": "b"}, PARTS, "records made from something else"),
        (CLASSES, {}, PARTS, "records made from something else"),
        (CLASSES, SOURCE, ("x",), "other part names"),
    ],
)
def test_another_data_set_is_not_written_into(make_dataset, classes, source, parts, message):
    path = make_dataset(0)
    with pytest.raises(DatasetError, match=message) as caught:
        DatasetWriter.create(path, classes, source, parts)
    assert caught.value.do is not None


@pytest.mark.parametrize("classes", [(), ("a", "a"), ("",), ("ignore",), ("hood", "_background_")])
def test_what_cannot_be_class_names(tmp_path, classes):
    with pytest.raises(DatasetError, match="cannot be the classes"):
        DatasetWriter.create(tmp_path / "data", classes, {})
    assert not (tmp_path / "data").exists()


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("…")
    with pytest.raises(DatasetError, match="holds no data set"):
        DatasetWriter.create(tmp_path, CLASSES, SOURCE)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_the_way_is_one_clear_error(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(DatasetError, match="cannot write"):
        DatasetWriter.create(tmp_path / "data", CLASSES, SOURCE)


def test_a_file_for_a_folder_of_records_is_one_clear_error(make_dataset):
    path = make_dataset()
    writer = DatasetWriter.create(path, CLASSES, SOURCE, PARTS)
    (path / "records").rmdir()
    (path / "records").write_text("")
    with pytest.raises(DatasetError, match="cannot write the file") as caught:
        writer.write(make_record(0))
    assert caught.value.where == str(path / "records" / "000000.json")
    with pytest.raises(DatasetError, match="cannot be listed") as caught:
        Dataset.open(path)
    assert caught.value.where == str(path / "records")


@pytest.mark.parametrize("write", [write_whole, create_whole])
def test_a_file_in_the_path_is_one_clear_error(tmp_path, write):
    (tmp_path / "afile").write_text("")
    with pytest.raises(DatasetError, match="cannot write the file") as caught:
        write(tmp_path / "afile" / "x.glb", b"")
    assert caught.value.found == "Not a directory"
    assert "a file stands where a folder is needed" in caught.value.do
    with pytest.raises(DatasetError) as caught:
        write(tmp_path / "none" / "x.glb", b"")
    assert "make the folder" in caught.value.do


def test_a_folder_without_the_right_to_write_is_said_at_once(tmp_path, monkeypatch):
    # Of tests that run as root no folder keeps its rights.
    monkeypatch.setattr(os, "access", lambda *_: False)
    for make, place in ((make_folder, tmp_path), (make_folder_of, tmp_path / "x.json")):
        with pytest.raises(DatasetError, match="cannot write the file") as caught:
            make(place)
        assert (caught.value.where, caught.value.found) == (str(place), "Permission denied")


def test_numbers_beyond_the_classes_are_a_bug(tmp_path):
    writer = DatasetWriter.create(tmp_path, ["a"], {})
    planes = np.ones((2, 2, 2), np.bool_)
    record = Record(0, np.zeros((2, 2, 3), np.uint8), LabelRaster.from_planes(planes))
    with pytest.raises(ValueError, match="has 1 classes"):
        writer.write(record)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("index", -1),
        ("image", np.zeros((2, 2), np.uint8)),
        ("image", np.zeros((2, 3, 3), np.uint8)),
        ("parts", np.zeros((2, 2), np.int64)),
        ("depth", np.zeros((2, 2), np.float32)),
        ("depth", np.full((2, 2), np.nan, np.float32)),
    ],
)
def test_what_is_no_record(field, value):
    good = {
        "index": 0,
        "image": np.zeros((2, 2, 3), np.uint8),
        "labels": LabelRaster.from_planes(np.zeros((1, 2, 2), np.bool_)),
    }
    Record(**good)
    with pytest.raises(ValueError, match=r"Record\."):
        Record(**(good | {field: value}))
