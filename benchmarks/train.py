"""Images per second in training, against the limit and against what a user would write.

    python benchmarks/train.py                     # 64² and 128², the paper's U-Net
    python benchmarks/train.py --size 128 --batch 64 --steps 200 --device cuda

Four ways to train the same model with the same batch and precision take turns, so that a change of
the machine's speed meets all of them:

limit       a plain PyTorch loop on one batch of tensors that lies there
engine      clearcoat's trainer, from packed PNG files, with flips
no data     clearcoat's trainer on one batch that lies there
lightning   Lightning with a standard DataLoader that reads the same PNG files

Lightning needs `pip install "clearcoat[benchmark]"`; without it that column is left out.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record
from clearcoat.models import UNetConfig, build_model
from clearcoat.training import AUGMENTATIONS, Sources, Trainer, find_loss, training_config
from clearcoat.training.computing import Computing, autocast, lay_out
from clearcoat.training.config import TrainingConfig
from clearcoat.training.environment import describe, find_device
from clearcoat.training.phases import plan_phases
from clearcoat.training.probe import choose_computing
from clearcoat.training.selection import load, select

CLASSES = tuple(f"class {number}" for number in range(8))
WARM_UP = 2
STUDY_RUNS = 11 * 11 * 7 - 7
"""Cells of the paper's grid without the empty one, times seven repeats."""


def main() -> None:
    options = _options()
    if options.threads:
        torch.set_num_threads(options.threads)
    device = find_device(options.device)
    rows = []
    for size in options.size:
        rows.append(_measure(size, device, options))
        _print(rows[-1], options)
    print(json.dumps({"machine": describe(device), "rows": rows}, indent=1))


def _options() -> Any:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=6, help="timed per round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--filters", type=int, nargs="+", default=[32, 64, 128, 256, 512])
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="auto")
    parser.add_argument("--loss", default="cross_entropy", help="of the engine")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--workers", type=int, default=2, help="of Lightning's DataLoader")
    parser.add_argument("--study-steps", type=int, default=2000, help="steps of a run of a study")
    parser.add_argument("--study-batch", type=int, default=64)
    return parser.parse_args()


def _measure(size: int, device: torch.device, options: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        dataset = _images(Path(folder) / "images", options.images, size)
        config = training_config(
            {
                "model": UNetConfig(filters=tuple(options.filters)),
                "size": size,
                "batch_size": options.batch,
                "max_steps": 10**6,
                "loss": options.loss,
                "precision": options.precision,
                "mix": "concatenate",
                "validation_count": 1,
            }
        )
        ways, how = _ways(config, dataset, device, options)
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.rounds):
            for name, way in ways.items():
                rates[name].append(options.batch * options.steps / way())
    medians = {name: statistics.median(found) for name, found in rates.items()}
    ratios = {
        "engine / limit": _ratio(rates["engine"], rates["limit"]),
        "no data / limit": _ratio(rates["no data"], rates["limit"]),
    }
    if "lightning" in rates:
        ratios["engine / lightning"] = _ratio(rates["engine"], rates["lightning"])
    runs_s = STUDY_RUNS * options.study_steps * options.study_batch / medians["engine"]
    return {
        "size": size,
        "batch": options.batch,
        "computing": how.as_json(),
        "images_per_s": {name: round(rate, 3) for name, rate in medians.items()},
        "ratios": {name: round(ratio, 3) for name, ratio in ratios.items()},
        "study_hours": round(runs_s / 3600, 1),
    }


def _ratio(ours: list[float], theirs: list[float]) -> float:
    """Return the median of the ratios within a round, which share the machine's moment."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def _images(path: Path, count: int, size: int) -> Dataset:
    writer = DatasetWriter.create(path, CLASSES, {"kind": "benchmark"})
    for index in range(count + 1):
        random = np.random.default_rng(index)
        # Blocks with some noise: about what a photograph takes as a PNG file.
        blocks = random.integers(0, 256, (size // 8, size // 8, 3))
        image = np.kron(blocks, np.ones((8, 8, 1))) + random.integers(-8, 9, (size, size, 3))
        numbers = np.kron(random.integers(0, 9, (size // 8, size // 8)), np.ones((8, 8)))
        planes = np.stack([numbers == c for c in range(len(CLASSES))])
        pixels = image.clip(0, 255).astype(np.uint8)
        labels = LabelRaster.from_planes(planes)
        writer.write(Record(index=index, image=pixels, labels=labels))
    return Dataset.open(path)


def _ways(
    config: TrainingConfig, dataset: Dataset, device: torch.device, options: Any
) -> tuple[dict[str, Callable[[], float]], Computing]:
    """Return functions that train for some steps and say how many seconds those took."""
    sources = Sources(dataset)
    data = load(select(config, sources), sources, config, device)
    phases = plan_phases(config, data)
    numbers = np.arange(options.batch)
    images, labels = data.train.fetch(numbers)
    outputs = find_loss(config.loss).outputs(len(CLASSES))
    model = build_model(config.model, outputs).to(device)
    how = choose_computing(model, images, config).how

    def engine(still: bool) -> Callable[[], float]:
        feed: Any = data
        chosen = config
        if still:
            train = SimpleNamespace(
                device=device,
                table=data.train.table,
                fetch=lambda numbers: (images, labels),
                announce=lambda numbers: None,
            )
            feed = SimpleNamespace(train=train)
            chosen = config.model_copy(update={"augment": AUGMENTATIONS["none"]})
        fresh = build_model(config.model, outputs).to(device)
        trainer = Trainer(fresh, feed, phases, find_loss(config.loss), chosen, how)

        def step() -> None:
            trainer._step(phases[0])
            trainer.progress.step += 1

        return _timed(step, device, options.steps)

    ways = {
        "limit": _timed(_plain_step(config, outputs, images, how), device, options.steps),
        "engine": engine(still=False),
        "no data": engine(still=True),
    }
    lightning = _lightning(config, dataset, outputs, how, device, options)
    if lightning is not None:
        ways["lightning"] = lightning
    return ways, how


def _timed(step: Callable[[], None], device: torch.device, steps: int) -> Callable[[], float]:
    def run() -> float:
        for _ in range(WARM_UP):
            step()
        _wait(device)
        start = time.perf_counter()
        for _ in range(steps):
            step()
        _wait(device)
        return time.perf_counter() - start

    return run


def _plain_step(
    config: TrainingConfig, outputs: int, like: Tensor, how: Computing
) -> Callable[[], None]:
    model = build_model(config.model, outputs).to(like.device).train()
    lay_out(model, how)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    images = torch.rand(like.shape, device=like.device).contiguous(memory_format=how.memory_format)
    truth = torch.randint(0, outputs, (len(like), *like.shape[-2:]), device=like.device)

    def step() -> None:
        with autocast(like.device, how.precision):
            logits = model(images)
        loss = F.cross_entropy(logits.float(), truth)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


def _lightning(
    config: TrainingConfig,
    dataset: Dataset,
    outputs: int,
    how: Computing,
    device: torch.device,
    options: Any,
) -> Callable[[], float] | None:
    try:
        import lightning
    except ImportError:
        return None
    from PIL import Image
    from torch.utils.data import DataLoader
    from torch.utils.data import Dataset as TorchDataset

    warnings.filterwarnings("ignore", module="lightning")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    files = []
    for index in dataset.indices:
        info = dataset.record_info(index)
        # A user's label files hold class numbers; ours hold positions in a table of sets.
        table = [len(CLASSES)] * len(info.labels.sets)
        for position, names in enumerate(info.labels.sets):
            if names and isinstance(names, tuple | list):
                table[position] = CLASSES.index(names[0])
        files.append((dataset.path / info.image.file, dataset.path / info.labels.file, table))

    class Files(TorchDataset[tuple[Tensor, Tensor]]):
        def __len__(self) -> int:
            return 10**6

        def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
            image_file, label_file, table = files[number % len(files)]
            image = torch.from_numpy(np.array(Image.open(image_file).convert("RGB")))
            labels = torch.tensor(table)[np.array(Image.open(label_file)).astype(np.int64)]
            image = image.permute(2, 0, 1).float() / 255
            if torch.rand(()) < 0.5:
                image, labels = image.flip(-1), labels.flip(-1)
            return image, labels

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = build_model(config.model, outputs)

        def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
            images, truth = batch
            return F.cross_entropy(self.model(images).float(), truth)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.AdamW(self.parameters(), lr=1e-3)

    class Clock(lightning.Callback):
        seconds = 0.0

        def on_train_batch_start(self, *arguments: Any) -> None:
            if arguments[-1] == WARM_UP:
                _wait(device)
                self.start = time.perf_counter()

        def on_train_batch_end(self, *arguments: Any) -> None:
            if arguments[-1] == WARM_UP + options.steps - 1:
                _wait(device)
                self.seconds = time.perf_counter() - self.start

    def run() -> float:
        clock = Clock()
        loader = DataLoader(
            Files(),
            batch_size=options.batch,
            num_workers=options.workers,
            pin_memory=device.type == "cuda",
            # A shuffle of a million numbers would be no part of a user's time.
            sampler=_forever(),
        )
        trainer = lightning.Trainer(
            max_steps=WARM_UP + options.steps,
            accelerator="gpu" if device.type == "cuda" else "cpu",
            devices=1,
            precision="bf16-mixed" if how.precision == "bf16" else "32-true",
            logger=False,
            callbacks=[clock],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer.fit(Module(), loader)
        return clock.seconds

    return run


class _forever:  # noqa: N801 - a sampler without a class's ceremony
    def __iter__(self) -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    def __len__(self) -> int:
        return 10**6


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _print(row: dict[str, Any], options: Any) -> None:
    print(f"{row['size']}², batches of {row['batch']}, {Computing(**row['computing'])}")
    for name, rate in row["images_per_s"].items():
        print(f"  {name:10} {rate:10.2f} images/s")
    for name, ratio in row["ratios"].items():
        print(f"  {name:18} {ratio:.3f}")
    print(
        f"  {STUDY_RUNS} runs of {options.study_steps} steps of {options.study_batch} images: "
        f"{row['study_hours']} h",
        flush=True,
    )


if __name__ == "__main__":
    main()
