"""The page of studies: complete, self-contained, repeatable, and clicked through in a browser."""

from __future__ import annotations

import csv
import io
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from clearcoat.errors import RunError, UsageError
from clearcoat.report import find_inputs
from clearcoat.report.study import StudyReport, write_study_report
from tests.browser import open_page
from tests.report.test_report import Page

from .ledgers import write_grid


@pytest.fixture(scope="module")
def written(
    grid: Path, transfer: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, StudyReport]:
    out = tmp_path_factory.mktemp("page") / "report.html"
    report = write_study_report(
        out, [grid, transfer], files=out.parent / "files", title="Of <grids> & transfer"
    )
    return out, report


@pytest.fixture(scope="module")
def page(written: tuple[Path, StudyReport]) -> Page:
    return Page(written[0].read_text(encoding="utf-8"))


def test_nothing_comes_from_outside(page: Page) -> None:
    for tag, attributes in page.attributes:
        assert tag not in ("script", "link", "iframe"), tag
        for name in ("src", "href", "xlink:href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), value
    ids = [a["id"] for _, a in page.attributes if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {a["href"] for a in page.all("a") if (a["href"] or "").startswith("#")}
    assert {(target or "")[1:] for target in targets} <= set(ids)


def test_no_line_ends_between_a_number_and_its_sign(page: Page) -> None:
    text = page.text
    assert "\N{NO-BREAK SPACE}%" in text and "p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0." in text
    assert not re.search(r"\d %|\bp [=<]|\bp.[=<] \d", text)


def test_what_a_sentence_names_is_set_as_code(page: Page) -> None:
    assert "`" not in page.text and len(page.all("code")) > 5


def test_lines_of_another_study_are_listed_under_the_cell_that_they_count_in(
    tmp_path: Path,
) -> None:
    folder = write_grid(tmp_path / "grid", real=(0, 16), synthetic=(0, 64))
    lines = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
    lines[0]["arm"] = "of another study"
    (folder / "ledger.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    report = write_study_report(tmp_path / "r.html", [folder])
    [table] = [table.table for table in report.chapters[0].tables if table.name == "ledger"]
    assert {row[1] for row in table.rows} == {"U-Net"}


def test_to_who_hears_it_a_figure_is_one_picture_with_its_title(page: Page) -> None:
    drawn = page.all("svg")
    assert {one["role"] for one in drawn} == {"img"}
    assert "Fig. 2a: mean IoU by number of photos and renders" in {
        one["aria-label"] for one in drawn
    }


def test_lines_are_seen_on_light_pages_and_on_dark_ones(written: tuple[Path, StudyReport]) -> None:
    css = (resources.files("clearcoat.report") / "templates" / "report.css").read_text()
    papers = re.findall(r"--paper: (#[0-9a-f]{6})", css)
    assert len(papers) == 2
    [figure] = [f for f in written[1].chapters[0].figures if f.name == "fig-4"]
    lines = [line for line in figure.figure.axes[0].lines if line.get_label()[0] != "_"]
    assert len(lines) > 2
    for paper in papers:
        for line in lines:
            # Contrast as WCAG 2 defines it; its limit of 3 no colour keeps on both with room
            # for an order of many.
            light, dark = sorted((_luminance(paper), _luminance(line.get_color())), reverse=True)
            assert (light + 0.05) / (dark + 0.05) > 2


def _luminance(color: Any) -> float:
    code = np.array(to_rgb(color))
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def test_all_figures_and_tables_of_the_paper_are_there(page: Page) -> None:
    for title in ("Fig. 2a", "Fig. 2b", "Fig. 2c", "Fig. 3", "Fig. 4", "Fig. 6", "Fig. 7",
                  "Fig. 8", "Table II", "Ledger of runs", "Environment"):  # fmt: skip
        assert title in page.text, title
    assert "wheel & tyre" in page.text


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("fig-2a", {"real", "synthetic", "mean IoU of run", "state"}),
        ("fig-2b", {"gain", "relative gain"}),
        ("fig-2c", {"Welch p", "paired p", "Holm over row", "Benjamini-Hochberg over grid"}),
        ("fig-3", {"mean IoU"}),
        ("fig-4", {"renders per photo", "p of a fall (Dunnett)"}),
        ("worth", {"worth photos"}),
        ("classes", {"IoU without", "IoU with", "gain", "95 % low", "sign"}),
        ("exchange-rate", {"renders per photo"}),
        ("table-2", {"parameters", "trainable"}),
        ("pairs", {"question", "p: same within 0.01"}),
    ],
)
def test_data_stand_behind_each(name: str, columns: set[str], page: Page) -> None:
    rows = page.table(f"{name}.csv")
    assert rows and columns <= set(rows[0])


def test_figure_2a_shows_the_ledgers_means(page: Page, written: tuple[Path, StudyReport]) -> None:
    rows = page.table("fig-2a.csv")
    runs = [float(r["mean IoU of run"]) for r in rows
            if (r["real"], r["synthetic"]) == ("16", "64")]  # fmt: skip
    assert len(runs) == 5
    assert f"{np.mean(runs):.3f}" in page.text


def test_files_are_written_for_every_figure_and_table(written: tuple[Path, StudyReport]) -> None:
    out, report = written
    folder = out.parent / "files"
    for chapter in report.chapters:
        for figure in chapter.figures:
            stem = folder / f"{chapter.study.name}-{figure.name}"
            picture = np.asarray(Image.open(stem.with_suffix(".png")).convert("L"))
            # Drawn on white, and something is drawn.
            assert picture[0, 0] == 255 and picture.std() > 5
            assert stem.with_suffix(".svg").read_bytes().startswith(b"<?xml")
            table = list(csv.DictReader(io.StringIO(stem.with_suffix(".csv").read_text())))
            assert len(table) == len(figure.table.rows)


def test_studies_of_one_name_keep_their_files_apart(tmp_path: Path) -> None:
    folders = [
        write_grid(tmp_path / name / "out", real=(16,), synthetic=(0, 64), seed=seed)
        for seed, name in enumerate(("first", "second"))
    ]
    files = tmp_path / "files"
    write_study_report(tmp_path / "report.html", folders, files=files)
    ledgers = [(files / f"{number}-out-ledger.csv").read_text() for number in (1, 2)]
    assert ledgers[0] != ledgers[1]


def test_the_same_ledger_gives_the_same_page(
    written: tuple[Path, StudyReport], grid: Path, transfer: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again.html"
    write_study_report(again, [grid, transfer], title="Of <grids> & transfer")
    assert again.read_bytes() == written[0].read_bytes()


def test_a_corrupt_line_is_named_on_the_page(grid: Path, tmp_path: Path) -> None:
    folder = write_grid(tmp_path / "grid", real=(0, 16, 32), synthetic=(0, 64))
    with (folder / "ledger.jsonl").open("a") as file:
        file.write('{"run_id": "cut of')
    told: list[str] = []
    write_study_report(tmp_path / "out.html", [folder], tell=told.append)
    assert any("ledger.jsonl:26 is no ledger line" in text for text in told)
    assert "ledger.jsonl:26" in (tmp_path / "out.html").read_text()


def test_studies_are_found_in_folders_and_mistakes_named(grid: Path, tmp_path: Path) -> None:
    assert find_inputs([grid.parent]).studies == (grid,)
    with pytest.raises(UsageError, match="folder of that name"):
        write_study_report(tmp_path, [grid])
    (tmp_path / "study.json").write_text("{}")
    with pytest.raises(RunError, match="damaged"):
        write_study_report(tmp_path / "x.html", [tmp_path])


def test_a_reader_can_click_through_it(
    browser: Any, written: tuple[Path, StudyReport], tmp_path: Path
) -> None:
    page = open_page(browser, written[0], viewport={"width": 1000, "height": 800})
    assert page.title() == "Of <grids> & transfer"
    for link in page.locator("nav a").all():
        link.click()
        target = page.locator(page.evaluate("location.hash"))
        assert target.count() == 1
    details = page.locator("details")
    assert details.count() > 15
    for number in range(details.count()):
        item = details.nth(number)
        table = item.locator("table")
        assert not table.is_visible()
        item.locator("summary").click()
        assert table.is_visible()
        assert table.locator("tbody tr").count() > 0
    with page.expect_download() as download:
        page.locator('a[download="fig-2b.csv"]').click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text())))
    assert rows[0][:2] == ["real", "synthetic"] and len(rows) == 20
    # Figures fit the page, also on a phone; wide tables scroll inside their own frame.
    for width in (1000, 420):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    # They are not shrunk below what can be read there.
    assert all(box.bounding_box()["width"] > 550 for box in page.locator("figure svg").all())
    assert page.problems == []
    page.close()


def test_pictures_and_data_of_a_study_that_was_run_are_seen(
    browser: Any, miniature: Path, tmp_path: Path
) -> None:
    write_study_report(tmp_path / "report.html", [miniature])
    page = open_page(browser, tmp_path / "report.html", viewport={"width": 1000, "height": 800})
    # Two images: the picture, its truth, and models of two counts with renders and without.
    pictures = page.locator("#fig-5-of-1 img")
    assert pictures.count() == 2 * (2 + 2 * 2)
    assert min(pictures.evaluate_all("all => all.map(one => one.naturalWidth)")) > 0
    assert all(picture.is_visible() for picture in pictures.all())
    assert page.locator("#data > .scroll table").is_visible()
    for place, download in (("#fig-5-of-1", "fig-5.csv"), ("#data", "table-1.csv")):
        behind = page.locator(f"{place} details", has=page.locator(f'a[download="{download}"]'))
        table = behind.locator("table")
        assert not table.is_visible()
        behind.locator("summary").click()
        assert table.is_visible()
    # The last of them is that of Table I: a row for each class of each data set.
    assert {"bright", "dark"} <= set(table.locator("tbody td").all_inner_texts())
    assert table.locator("tbody tr").count() == 4
    assert page.problems == []
    page.close()


def test_it_prints(browser: Any, written: tuple[Path, StudyReport]) -> None:
    page = open_page(browser, written[0])
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    assert 5 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 60
    page.emulate_media(media="print")
    # What is folded away leaves no heading behind, and the verdict may begin on the first page.
    assert not page.get_by_text("Ledger of runs", exact=True).first.is_visible()
    verdict = page.locator(".verdict").first
    assert verdict.evaluate("it => getComputedStyle(it).breakInside") == "auto"
    page.close()
