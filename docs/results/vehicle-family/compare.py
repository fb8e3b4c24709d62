"""The tables of ../vehicle-family.md: runs, means, differences between studies, and classes.

python compare.py        (reads the ledgers beside it)
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean

from clearcoat.statistics import difference_interval, mean_interval, paired_one_sided

_PAIRS = (
    ("family", "shared"), ("both", "family"), ("both", "shared"), ("both-long", "family-long"),
    ("both-long", "family"), ("both-long", "shared"), ("family-long", "family"),
    ("both-long", "both"), ("both-xl", "family-long"), ("both-xl", "shared-long"),
    ("both-xl", "both-long"), ("family-long", "shared-long"), ("both-long", "shared-long"),
    ("shared-long", "shared"),
)  # fmt: skip


def main() -> None:
    """Print everything, with 64 photos and with none."""
    scores: dict[tuple[str, int], dict[int, float]] = {}
    by_class: dict[tuple[str, int], list[dict[str, float]]] = {}
    for file in sorted(Path(__file__).parent.glob("*-ledger.jsonl")):
        for line in map(json.loads, file.read_text().splitlines()):
            key = file.name.removesuffix("-ledger.jsonl"), line["real"]
            if not key[0].startswith("unet") and line.get("mean_iou") is not None:
                scores.setdefault(key, {})[line["repeat"]] = line["mean_iou"]
                by_class.setdefault(key, []).append(line["classes"])
    for (arm, real), runs in sorted(scores.items()):
        found = mean_interval(list(runs.values()))
        half = "" if found.half_width is None else f" ± {found.half_width:.3f}"
        each = ", ".join(f"{runs[repeat]:.3f}" for repeat in sorted(runs))
        print(f"{real} photos, {arm}: {each}: {found.estimate:.3f}{half}")
    for real in (64, 0):
        for first, second in _PAIRS:
            ours, theirs = scores[first, real], scores[second, real]
            common = sorted(ours.keys() & theirs.keys())
            a, b = ([side[repeat] for repeat in common] for side in (ours, theirs))
            found = difference_interval(a, b, paired=True)
            p = paired_one_sided(a, b).p_value
            print(
                f"{real} photos, {first} - {second}: {found.estimate:+.3f} "
                f"({found.low:+.3f} to {found.high:+.3f}; p {p:.3f})"
            )
    for (arm, real), tables in sorted(by_class.items()):
        means = (
            f"{name} {fmean(table[name] for table in tables):.2f}" for name in sorted(tables[0])
        )
        print(f"{real} photos, {arm}: {', '.join(means)}")


if __name__ == "__main__":
    main()
