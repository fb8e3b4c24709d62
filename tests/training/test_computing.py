"""How the arithmetic of a step is done, as far as no GPU is needed to see it."""

from __future__ import annotations

import torch

from clearcoat.training.computing import fastest_kernels


def test_a_gpu_trains_with_cudnn() -> None:
    cudnn = torch.backends.cudnn
    before = cudnn.enabled, cudnn.benchmark
    with fastest_kernels(torch.device("cuda")):
        assert cudnn.enabled and cudnn.benchmark
    assert (cudnn.enabled, cudnn.benchmark) == before
    with fastest_kernels(torch.device("cpu")):
        assert (cudnn.enabled, cudnn.benchmark) == before
