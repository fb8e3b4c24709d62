"""Write a rendered data set anew with the pixels of some parts ignored.

python ignore.py DATASET OUT GLOB [GLOB…]      (globs of part paths, in quotes)

For the trial in ../vehicle-family.md in which renders teach nothing of the classes that their
models show otherwise than the photographs. A class map with `is: ignore` does the same while
rendering; this needs no new renders.
"""

from __future__ import annotations

import argparse
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record
from clearcoat.dataset.record import EncodedImage


def main() -> None:
    """Copy images byte for byte, and labels with what the globs name ignored."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("globs", nargs="+")
    given = parser.parse_args()
    data = Dataset.open(given.dataset)
    named = [any(fnmatchcase(name, glob) for glob in given.globs) for name in data.part_names]
    ignored = np.array([False, *named])
    source = {"kind": "synthetic", "from": data.digest(), "ignored": given.globs}
    writer = DatasetWriter.create(given.out, data.classes, source, parts=data.part_names)
    for index in data.indices:
        labels, parts, info = data.labels(index), data.parts(index), data.record_info(index)
        assert parts is not None, "render with `parts` in `labels.write`"
        sets = labels.sets if None in labels.sets else (*labels.sets, None)
        raster = np.where(ignored[parts], sets.index(None), labels.index).astype(np.uint16)
        writer.write(
            Record(
                index=index,
                image=data.image(index),
                labels=LabelRaster(index=raster, sets=sets),
                metadata=info.metadata,
                original=EncodedImage(
                    data.read_bytes(info.image), ".jpg" if ".jpg" in info.image.file else ".png"
                ),
            )
        )


if __name__ == "__main__":
    main()
