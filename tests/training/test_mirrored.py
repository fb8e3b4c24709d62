"""A model that sees mirror images too."""

from __future__ import annotations

import pytest
import torch

from clearcoat.errors import UsageError
from clearcoat.models import build_model
from clearcoat.training.mirrored import Mirrored

from .tiny import tiny_config

CLASSES = ("left_door", "hood", "right_door")


def test_the_answer_to_a_mirror_image_is_the_mirror_image_of_the_answer() -> None:
    torch.manual_seed(0)
    config = tiny_config()
    # The fourth output is background, which has no side.
    model = build_model(config.model, 4).eval()
    mirrored = Mirrored(model, config, CLASSES).eval()
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        answer, other = mirrored(images), mirrored(images.flip(-1))
        one, two = model(images), model(images.flip(-1))
    torch.testing.assert_close(other, answer.flip(-1)[:, [2, 1, 0, 3]])
    torch.testing.assert_close(answer[:, 0], (one[:, 0] + two[:, 2].flip(-1)) / 2)
    torch.testing.assert_close(answer[:, 3], (one[:, 3] + two[:, 3].flip(-1)) / 2)


def test_a_model_that_was_never_shown_a_mirror_image_is_refused() -> None:
    config = tiny_config(augment={"flip": False})
    with pytest.raises(UsageError, match="never seen a mirror image") as caught:
        Mirrored(build_model(config.model, 4), config, CLASSES)
    assert "--mirror" in str(caught.value)
