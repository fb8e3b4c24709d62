"""The example studies say what the code understands."""

from __future__ import annotations

from pathlib import Path

from clearcoat.studies import SupplementSpec, TransferSpec, load_study
from clearcoat.studies.transfer import arms

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "studies"


def test_the_grid() -> None:
    spec = load_study(FOLDER / "supplement.yaml", SupplementSpec)
    assert spec.grid == ((0, 16, 32, 64, 128, 256), (0, 64, 256, 1024, 4096))
    assert (spec.rule(32).least, spec.rule(256).least) == (7, 3)
    assert spec.shares_pretraining


def test_the_transfer_study_has_the_papers_arms() -> None:
    spec = load_study(FOLDER / "transfer.yaml", TransferSpec)
    # Control, four starts of two kinds, two W-nets (sections V.A and V.B), and EfficientNet.
    assert len(arms(spec)) == 11 + 4
