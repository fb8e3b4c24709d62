"""A trained model as a function of an image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from clearcoat.dataset.resize import fitted, resize_image
from clearcoat.errors import UsageError
from clearcoat.training.environment import find_device
from clearcoat.training.losses import find_loss
from clearcoat.training.mirrored import Mirrored
from clearcoat.training.run import load_model
from clearcoat.training.tiles import Tiling


class Predictor:
    """Segments images with the model of a finished run.

    >>> predictor = Predictor("runs/first")                      # doctest: +SKIP
    >>> probabilities = predictor(image)                         # doctest: +SKIP
    >>> hood = probabilities[predictor.classes.index("hood")] >= 0.5  # doctest: +SKIP
    """

    def __init__(self, run: Path | str, device: str = "auto", *, mirror: bool = False) -> None:
        """Load the model of a run; with `mirror` it sees every image mirrored too.

        Raises RunError where there is no finished run, UsageError for a device that is not there
        or a mirror image that the model was not trained for.
        """
        self.device = find_device(device)
        model, config, classes = load_model(Path(run), str(self.device))
        self.model = Mirrored(model, config, classes) if mirror else model
        self.classes = classes
        self.size = config.size
        self._probabilities = find_loss(config.loss).probabilities

    def __call__(
        self, image: NDArray[np.uint8], tiling: Tiling | None = None
    ) -> NDArray[np.float32]:
        """(H, W, 3) uint8 sRGB to (C, H, W) float32: the probability of each class by itself.

        The model sees the image at the size at which it was trained; its answer is
        interpolated back to the size of the image. With a `tiling` it sees one tile after the
        other in this way, and where tiles overlap their answers are blended: for images in which
        the product is as large within a tile as it was in the training images. Raises UsageError
        for an array of another kind.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise UsageError(
                "not an image that can be segmented",
                found=f"{image.dtype} of shape {image.shape}",
                expected="uint8 of shape (height, width, 3)",
            )
        if tiling is None:
            return self._whole(image)
        height, width = image.shape[:2]
        total = np.zeros((len(self.classes), height, width), np.float32)
        weight = np.zeros((height, width), np.float32)
        for top, left, tile_height, tile_width in tiling.places(height, width):
            place = slice(top, top + tile_height), slice(left, left + tile_width)
            share = tiling.weights(tile_height, tile_width)
            total[:, *place] += share * self._whole(image[place])
            weight[place] += share
        total /= weight
        return total

    def _whole(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        height, width = image.shape[:2]
        small = np.ascontiguousarray(resize_image(image, self.size).transpose(2, 0, 1))
        batch = torch.from_numpy(small).unsqueeze(0).to(self.device)
        top, left, inner_height, inner_width = fitted(height, width, self.size)
        with torch.inference_mode():
            answer = self._probabilities(self.model(batch))
            answer = answer[..., top : top + inner_height, left : left + inner_width]
            answer = F.interpolate(
                answer, size=(height, width), mode="bilinear", align_corners=False
            )
        result: NDArray[np.float32] = answer[0].cpu().numpy()
        return result
