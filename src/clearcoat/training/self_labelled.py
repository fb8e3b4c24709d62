"""Training images of which some have no labels but those that a model gave them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clearcoat.dataset.labels import ClassSet
from clearcoat.dataset.resize import fitted
from clearcoat.training.arrays import ClassTable, class_table, narrow
from clearcoat.training.feeding import Images
from clearcoat.training.frequencies import frequencies
from clearcoat.training.losses import Loss

_BATCH = 32


class SelfLabelled:
    """Images with labels, of which those of `rows` are *ignored* until a model has labelled them.

    A model gives the class sets that occur in the labels of the other images; what it takes for
    another set, as for two classes that never overlap there, stays ignored. Of a softmax no two
    classes are probable at once: with such a loss all overlaps stay ignored.
    """

    def __init__(self, images: Images, rows: range, shapes: Sequence[tuple[int, int]]) -> None:
        """`shapes` are height and width of the photos of `rows` before they became square."""
        self.rows = rows
        self._images = images
        self._shapes = tuple(shapes)
        self.sets: tuple[ClassSet | None, ...] = tuple(
            dict.fromkeys([*images.sets, None, frozenset[int]()])
        )
        self._ignore = self.sets.index(None)
        self._own: Tensor | None = None
        self._known: dict[bytes, int] | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of their numbers."""
        return self._images.classes

    @property
    def names(self) -> tuple[str, ...]:
        """One per image, for messages and tables."""
        return self._images.names

    @property
    def device(self) -> torch.device:
        """Where batches are."""
        return self._images.device

    def __len__(self) -> int:
        return len(self._images)

    def table(self) -> ClassTable:
        """Return the class sets as tensors on the device."""
        return class_table(self.sets, len(self.classes), self.device)

    def announce(self, numbers: NDArray[np.int64]) -> None:
        """Hear which images will be asked for next."""
        self._images.announce(numbers)

    def fetch(self, numbers: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """(B,) image numbers to (B, 3, S, S) uint8 and (B, S, S) labels on the device."""
        images, labels = self._images.fetch(numbers)
        labels = narrow(labels, len(self.sets))
        places = np.flatnonzero((numbers >= self.rows.start) & (numbers < self.rows.stop))
        if not len(places):
            return images, labels
        labels = labels.clone()
        where = torch.from_numpy(places).to(self.device)
        if self._own is None:
            labels[where] = self._ignore
        else:
            rows = torch.from_numpy(numbers[places] - self.rows.start).to(self.device)
            labels[where] = self._own[rows]
        return images, labels

    def label(self, model: nn.Module, loss: Loss, confidence: float) -> float:
        """Label `rows` as the model sees them; return the share of pixels that are not ignored.

        What a photo does not cover of its square stays ignored, as it is with labels, and is not
        in that share. A pixel is a class's where its probability is `confidence` or more, provided
        that every other class is as improbable or as probable. It is background where all are
        improbable, and, where the loss has an output for background (softmax), that is as probable.
        `model` is left in eval mode.
        """
        known = self._sets_of_labels()
        model.eval()
        found, sure_pixels, covered_pixels = [], 0, 0
        with torch.inference_mode():
            for start in range(self.rows.start, self.rows.stop, _BATCH):
                numbers = np.arange(start, min(start + _BATCH, self.rows.stop))
                images, _ = self._images.fetch(numbers)
                images = images.contiguous(memory_format=torch.channels_last)
                probability = loss.probabilities(model(images)).movedim(1, -1)
                is_class = probability >= confidence
                sure = (is_class | (probability <= 1 - confidence)).all(dim=-1)
                if loss.extra_outputs:
                    # Many classes may each be improbable where background is, too.
                    sure &= is_class.any(dim=-1) | (probability.sum(dim=-1) <= 1 - confidence)
                covered = self._covered(numbers, images.shape[-1])
                codes, which = np.unique(_codes(is_class.cpu().numpy()), return_inverse=True)
                places = np.array([known.get(code.tobytes(), self._ignore) for code in codes])
                labels = np.where(
                    sure.cpu().numpy() & covered, places[which].reshape(sure.shape), self._ignore
                )
                sure_pixels += int((labels != self._ignore).sum())
                covered_pixels += int(covered.sum())
                found.append(narrow(torch.from_numpy(labels), len(self.sets)))
        self._own = torch.cat(found).to(self.device)
        return sure_pixels / covered_pixels

    def _covered(self, numbers: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
        """(B, S, S): where a photo of `rows` lies in its square."""
        found = np.zeros((len(numbers), size, size), np.bool_)
        for place, number in zip(found, numbers.tolist(), strict=True):
            tall, wide = self._shapes[number - self.rows.start]
            top, left, height, width = fitted(tall, wide, size)
            place[top : top + height, left : left + width] = True
        return found

    def _sets_of_labels(self) -> dict[bytes, int]:
        """Return the code and the place of every class set that labelled images have."""
        if self._known is None:
            # What a model has labelled is nothing to go by.
            assert self._own is None
            seen = frequencies(self).positions > 0
            classes = range(len(self.classes))
            self._known = {
                _codes(np.array([number in members for number in classes])).tobytes(): place
                for place, members in enumerate(self.sets)
                if members is not None and (seen[place] or not members)
            }
        return self._known


def _codes(members: NDArray[np.bool_]) -> NDArray[Any]:
    """(…, C) to (…,): one value per set of classes; a machine word, which sorts fast, up to 64."""
    packed = np.packbits(members, axis=-1)
    width = max(8, packed.shape[-1])
    whole = np.zeros((*packed.shape[:-1], width), np.uint8)
    whole[..., : packed.shape[-1]] = packed
    return whole.view(np.uint64 if width == 8 else np.dtype((np.void, width)))[..., 0]
