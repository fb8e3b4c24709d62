"""Students on photos without labels, as first tried: docs/decisions/0127-self-training.md.

usage: python docs/results/car-parts/students.py OUT REPEAT [--alone]   (OUT of ../car-parts.sh)

Scores every other of the 240 photos that no study scores on; the rest, and photos that other
repeats score on, are those without labels. `--alone` leaves them out: as many steps without.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from reading import free_photos, score

from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record
from clearcoat.dataset.resize import resize_image, resize_labels
from clearcoat.studies import SupplementSpec, load_study, open_data, plan_supplement
from clearcoat.training import SelfTraining, Sources, pack, run_training
from clearcoat.training.mirrored import Mirrored
from clearcoat.training.run import load_model
from clearcoat.training.selection import select


def main(out: Path, repeat: int, *, alone: bool) -> None:
    """Train a student and print its score below its teacher's."""
    torch.set_num_threads(1)
    file, study = out / "grid.yaml", out / "study"
    spec = load_study(file, SupplementSpec)
    data = open_data(spec)
    assert data.untouched is not None
    cells = plan_supplement(spec, data).cells
    run = next(c for c in cells if (c.key.real, c.key.synthetic) == (16, 4096)).make(repeat)
    assert run.start is not None
    teacher, config, classes = load_model(study / "runs" / run.folder_name)
    chosen = select(run.config, run.sources)
    known = {*chosen.real, *chosen.held_back["real"]}
    photos = Dataset.open(spec.real)
    scored = free_photos(file).indices[1::2]
    hidden = {*known, *scored, *data.untouched.indices, *run.sources.named()["test"].indices}
    pool = [] if alone else [index for index in photos.indices if index not in hidden]
    name = f"students/{repeat}{'-alone' if alone else ''}"
    writer = DatasetWriter.create(out / f"{name}-photos", photos.classes, {"kind": "real"})
    # Those with labels twice, or they would be lost among the others.
    labelled = [*chosen.real] if alone else [*chosen.real, *chosen.real]
    for number, index in enumerate([*labelled, *pool]):
        image = resize_image(photos.image(index), config.size)
        if number < len(labelled):
            labels = resize_labels(photos.labels(index), config.size)
        else:
            labels = _labelled(Mirrored(teacher.eval(), config, classes), image)
        writer.write(Record(index=number, image=image, labels=labels))
    both = Dataset.open(writer.path)
    changes = {
        "max_steps": 2400,
        "real_count": len(both),
        "validation_count": None,
        "augment": SelfTraining().augment,
    }
    stopping = photos.subset(chosen.held_back["real"])
    sources = Sources(real=both, synthetic=run.sources.synthetic, validation=stopping)
    start = study / "runs" / run.start.folder_name
    student = run.config.model_copy(update=changes)
    run_training(student, sources, out / name, init=start, depict=False)
    images = pack(photos, [index for index in scored if index not in known], config.size)
    for model in (teacher, load_model(out / name)[0]):
        print(f"{score(lambda x, m=model: m.eval()(x).softmax(1), images).mean_iou:.3f}")


def _labelled(teacher: Mirrored, image: NDArray[np.uint8]) -> LabelRaster:
    """Label what is as probable as 0.9, background included."""
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None]
    with torch.inference_mode():
        found = teacher(pixels).softmax(1)[0].numpy()
    count = len(found) - 1
    table = [*(frozenset([number]) for number in range(count)), frozenset[int](), None]
    return LabelRaster.from_table(np.where(found.max(0) >= 0.9, found.argmax(0), count + 1), table)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), alone="--alone" in sys.argv)
