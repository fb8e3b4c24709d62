"""From a study report's content to the HTML page."""

from __future__ import annotations

import yaml

from clearcoat.report.data_tables import BADGES, frequency_rows, statistics_table
from clearcoat.report.study.content import StudyReport
from clearcoat.report.study.facts import StudyFacts
from clearcoat.report.verdict import images
from clearcoat.report.writing import page

_NAMES_OF_STARTS = (
    "A start is named by where its encoder comes from and where its decoder does: synth is the "
    "base, a model trained on renders; random is neither; ImageNet's encoders have the name of "
    "their network. While photos are learned, its encoder is trainable or frozen. Control starts "
    "from nothing."
)


def render_study_page(report: StudyReport) -> str:
    """Return the whole page."""
    return page(
        "study.html",
        report.title,
        report=report,
        badges=BADGES,
        settings=_settings,
        counts=_counts,
        digests=_digests,
        machines=_machines,
        statistics=frequency_rows(report.datasets),
        table_1=statistics_table(report.datasets),
        lead=_lead,
    )


def _lead(study: StudyFacts) -> str:
    runs = sum(len(cell.scores) for cell in study.cells.values())
    what = "Grid of photos and renders" if study.kind == "supplement" else "Transfer study"
    text = (
        f"{what}: {images(runs, 'run')} in {images(len(study.cells), 'cell')}. The score is mean "
        "IoU on photos that no training saw, every class alike, a class being present where its "
        "probability reaches 50 %."
    )
    return text if study.kind == "supplement" else f"{text} {_NAMES_OF_STARTS}"


def _settings(study: StudyFacts) -> str:
    """The study's YAML, as it was understood."""
    # None that a user wrote below the top means "not this", so only empty keys of the top go.
    filled = {key: value for key, value in study.spec.items() if value not in (None, [], {})}
    return str(
        yaml.safe_dump(filled, sort_keys=False, default_flow_style=None, allow_unicode=True)
    ).rstrip()


def _counts(study: StudyFacts) -> list[tuple[str, str]]:
    return [
        (what, f"{count:,}" if isinstance(count, int) else ", ".join(map("{:,}".format, count)))
        for what, count in study.images
    ]


def _digests(study: StudyFacts) -> list[tuple[str, str]]:
    """What of the data, by split where there are several, with the digest of its content."""
    found: list[tuple[str, str]] = []
    for what, digest in study.digests:
        if digest is None:
            continue
        if isinstance(digest, str):
            found.append((what, digest))
        else:
            several = len(digest) > 1
            found += [
                (f"{what}, split {n}" if several else what, one) for n, one in enumerate(digest)
            ]
    return found


def _machines(study: StudyFacts) -> list[tuple[str, str, int]]:
    """Device and versions, with the number of runs."""
    counts: dict[tuple[str, str], int] = {}
    for entry in study.ledger.entries:
        versions = ", ".join(f"{name} {v}" for name, v in sorted(entry.versions.items()))
        key = (entry.device or "unknown device", versions)
        counts[key] = counts.get(key, 0) + 1
    return [(*key, count) for key, count in counts.items()]
