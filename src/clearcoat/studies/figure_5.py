"""Keeps the pictures of a grid's Fig. 5 whole, as far as there are weights to draw them with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from clearcoat.errors import RunError
from clearcoat.studies.grid_spec import SupplementSpec
from clearcoat.studies.ledger import Entry
from clearcoat.studies.pictures import (
    PICTURES,
    Depicted,
    depict,
    read_depicted,
    telling_images,
    write_depicted,
)
from clearcoat.studies.runs import PlannedRun, StudyPlan
from clearcoat.studies.weights import has_weights, run_folder


class Figure5:
    """What the runs of a study's Fig. 5 predict on a few test images, a file per run."""

    def __init__(self, study: StudyPlan, out: Path) -> None:
        self.study, self.out = study, out

    @cached_property
    def runs(self) -> dict[str, PlannedRun]:
        """The runs that it shows, by id."""
        runs = (c.make(0) for c in self.study.cells if c.depicted and c.key.real)
        return {run.run_id: run for run in runs}

    def draw(self, run: PlannedRun) -> None:
        """Write the pictures of a finished run, where it lacks them and has its weights."""
        if not self.lacks(run):
            return
        file, there = self._file(run), self._read(run)
        if there is not None and set(self._shown) <= set(there.numbers):
            write_depicted(file, there.showing(self._shown))
        elif has_weights(self.out, run.run_id):
            folder = run_folder(self.out, run.run_id)
            depict(folder, self.study.data.test[0], self._shown, file)

    def draw_finished(self, done: Mapping[str, Entry]) -> None:
        """Draw those of runs that were done before they were asked for."""
        for run_id, run in self.runs.items():
            if run_id in done:
                self.draw(run)

    def lacks(self, run: PlannedRun) -> bool:
        """Whether it shows a run, and its file has not the images that are asked for."""
        if run.run_id not in self.runs:
            return False
        there = self._read(run)
        return there is None or there.numbers != self._shown

    def undrawn(self, done: Mapping[str, Entry]) -> list[str]:
        """Return the cells whose runs are done and lack their pictures."""
        return [
            str(run.key)
            for run_id, run in self.runs.items()
            if run_id in done and not done[run_id].failed and self.lacks(run)
        ]

    @cached_property
    def _shown(self) -> tuple[int, ...]:
        """Records of its images: first repeats are scored on the first split."""
        spec = self.study.spec
        assert isinstance(spec, SupplementSpec) and spec.qualitative is not None
        return tuple(telling_images(self.study.data.test[0], spec.qualitative.images))

    def _read(self, run: PlannedRun) -> Depicted | None:
        try:
            return read_depicted(self._file(run))
        except RunError:
            # There is none, or it is damaged and drawn anew.
            return None

    def _file(self, run: PlannedRun) -> Path:
        return self.out / PICTURES / f"{run.folder_name}.npz"
