"""Every choice of a training run, as one frozen, serialisable value.

Defaults are the paper's protocol (section IV.A) where it states one; where it is silent, the
decision pages 0020 to 0029 in docs/decisions say why a default is what it is.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from clearcoat.errors import SpecError, UsageError, did_you_mean
from clearcoat.models import InitConfig, ModelConfig, UNetConfig, WNetConfig
from clearcoat.spec.document import mistakes
from clearcoat.spec.yaml_text import dotted
from clearcoat.training.losses import LOSSES

LossName = Literal[
    "cross_entropy",
    "binary_cross_entropy",
    "cross_entropy_dice",
    "binary_cross_entropy_dice",
    "dice",
    "binary_dice",
]
Schedule = Literal["constant", "cosine", "linear", "plateau"]
Choice = Literal["auto", "on", "off"]
Mix = Literal["concatenate", "balanced", "sequential"]


class Augmentation(BaseModel):
    """Random changes to training images. The default is the paper's: horizontal flips only."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    flip: bool = True
    """Mirror left to right, half of the time. Classes that name a side change with it."""
    scale: tuple[float, float] = (1.0, 1.0)
    """Range of the magnification; above 1 crops, below 1 shows the image smaller."""
    rotate_deg: float = Field(default=0.0, ge=0.0, le=180.0)
    """Greatest rotation to either side."""
    shift: float = Field(default=0.0, ge=0.0, le=1.0)
    """Greatest displacement, as a share of the image."""
    brightness: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Factor on the values, drawn from 1 ± this."""
    contrast: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Factor on the distance from the image's mean, drawn from 1 ± this."""
    saturation: float = Field(default=0.0, ge=0.0, le=1.0)
    """Factor on the distance from grey, drawn from 1 ± this."""
    tint: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Factor per colour channel, drawn from 1 ± this: white balance and paint."""
    blur_px: float = Field(default=0.0, ge=0.0, le=3.0)
    """Greatest sigma of a Gaussian blur; half of the images are left sharp."""
    noise: float = Field(default=0.0, ge=0.0, le=1.0)
    """Greatest standard deviation of Gaussian noise, of a range of 0 to 1."""

    @model_validator(mode="after")
    def _range_in_order(self) -> Self:
        if not 0 < self.scale[0] <= self.scale[1]:
            raise SpecError("scale needs two positive numbers, the smaller first", key=("scale",))
        return self

    @property
    def moves(self) -> bool:
        """Whether anything but the flip moves pixels."""
        return self.scale != (1.0, 1.0) or self.rotate_deg > 0 or self.shift > 0


AUGMENTATIONS: dict[str, Augmentation] = {
    "none": Augmentation(flip=False),
    "flip": Augmentation(),
    "geometry": Augmentation(scale=(0.85, 1.35), rotate_deg=5.0, shift=0.08),
    "colour": Augmentation(
        brightness=0.3, contrast=0.3, saturation=0.5, tint=0.15, blur_px=1.0, noise=0.03
    ),
    "strong": Augmentation(
        scale=(0.7, 1.6),
        rotate_deg=10.0,
        shift=0.15,
        brightness=0.3,
        contrast=0.3,
        saturation=0.5,
        tint=0.15,
        blur_px=1.0,
        noise=0.03,
    ),
}
"""Ready-made settings by name; `flip` is the paper's."""


def augmentation(given: Any) -> Any:
    """Return the augmentation of that name, or what is no name. Raises SpecError."""
    if not isinstance(given, str):
        return given
    if given not in AUGMENTATIONS:
        raise SpecError(f"no such augmentation: {given!r}", do=did_you_mean(given, AUGMENTATIONS))
    return AUGMENTATIONS[given]


class SelfTraining(BaseModel):
    """A last phase on photos without labels, to which the model gives labels itself.

    Pseudo-labels (Lee 2013), of a model that saw clean images, for one that sees noisy ones
    (Xie et al. 2020, arXiv 1911.04252): docs/decisions/0127-self-training.md.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    confidence: float = Field(default=0.9, gt=0.5, lt=1.0)
    """A pixel whose classes are not all this probable, or this improbable, is ignored."""
    max_steps: int = Field(default=2400, ge=1)
    augment: Augmentation = AUGMENTATIONS["colour"].model_copy(
        update=AUGMENTATIONS["geometry"].model_dump(include={"scale", "rotate_deg", "shift"})
    )
    """Or one of AUGMENTATIONS by its name. Images are mirrored where they are in other phases."""
    control: bool = False
    """The same phase without photos without labels: what as much more training does by itself."""

    @field_validator("augment", mode="before")
    @classmethod
    def _augmentation_by_name(cls, given: Any) -> Any:
        return augmentation(given)

    @model_serializer(mode="wrap")
    def _as_before_without_a_control(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # As in TrainingConfig: runs that were begun without the key are to be the same runs.
        content: dict[str, Any] = dump(self)
        if not self.control:
            content.pop("control", None)
        return content


_ADDED_LATER = (
    "initialisation",
    "subset",
    "class_weights",
    "plateau_epochs",
    "clip_norm",
    "channels_last",
    "compile",
    "cuda_graphs",
    "self_training",
)
"""Keys that runs of earlier versions do not have, and that mean nothing at their default."""


class TrainingConfig(BaseModel):
    """What is trained, on how many images, how, and when it stops."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model: ModelConfig = UNetConfig()
    initialisation: InitConfig | None = None
    """What starts from where and what is frozen; None: all from the given run, or random."""
    size: int = Field(default=128, ge=8)
    """Height and width in pixels to which every image is resized."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Decides weights, subsets, order, augmentation and dropout."""

    real_count: int | None = Field(default=None, ge=0)
    """Real training images; None takes all that are not held back."""
    synthetic_count: int | None = Field(default=None, ge=0)
    subset: Literal["nested", "independent"] = "nested"
    """`nested`: a larger count of the same seed contains every smaller one. `independent`: each
    count and seed is a draw of its own."""
    mix: Mix = "sequential"
    """How real and synthetic images share the steps; see docs/decisions/0023-mixing.md."""
    real_share: float | None = Field(default=None, gt=0.0, le=1.0)
    """Real share of each batch: `balanced` (default 0.5), last phases of `sequential` (1.0)."""

    mode: Literal["strict", "paper"] = "strict"
    """`strict` stops on images that nothing is scored on; `paper` stops on the scored ones."""
    validation_source: Literal["auto", "real", "synthetic"] = "auto"
    """Where images that decide the stopping come from; auto: real where there are any."""
    validation_count: int | None = Field(default=None, ge=1)
    """Images held back for stopping; None takes a tenth of the photos, at most 256, or of renders a
    twentieth, at most 64."""
    stop_on: Literal["loss", "mean_iou"] = "loss"

    loss: LossName = "cross_entropy_dice"
    """See docs/decisions/0021-loss.md."""
    class_weights: Literal["balanced"] | dict[str, float] | None = None
    """Weight of each class in the loss, 1 where a name is not given. `balanced` takes the median
    frequency over the class's own (doi 10.1109/ICCV.2015.304), as the training images have it."""
    augment: Augmentation = Augmentation()
    """Or one of AUGMENTATIONS by its name."""
    batch_size: int = Field(default=64, ge=1)
    """At most the number of training images."""
    learning_rate: float = Field(default=0.0020, gt=0.0)
    tuning_rate: float | None = Field(default=None, gt=0.0)
    """Learning rate on photos once the weights have seen renders; None takes `learning_rate`."""
    schedule: Schedule = "constant"
    """`cosine` and `linear` fall to zero at `max_steps` (or at `max_epochs`); `plateau` halves
    the rate whenever `plateau_epochs` evaluations in a row were no better."""
    plateau_epochs: int = Field(default=10, ge=1)
    warmup_steps: int = Field(default=0, ge=0)
    weight_decay: float = Field(default=0.0, ge=0.0)
    """Decoupled (AdamW); 0 is Adam."""
    clip_norm: float | None = Field(default=None, gt=0.0)
    """Greatest norm of all gradients together; longer ones are shortened to it."""
    ema_decay: float | None = Field(default=None, gt=0.0, lt=1.0)
    """Evaluate and keep an exponential moving average of the weights."""

    self_training: SelfTraining | None = None
    """A last phase on photos without labels; None: there is none."""

    patience_epochs: int = Field(default=30, ge=1)
    min_steps_per_epoch: int = Field(default=20, ge=1)
    """An epoch is one pass over the images, but never fewer steps than this."""
    max_epochs: int = Field(default=1000, ge=1)
    max_steps: int | None = Field(default=None, ge=1)
    pretrain_max_steps: int | None = Field(default=None, ge=1)
    """Limit of `sequential` on synthetic images, its only phase where there are no real ones;
    None takes `max_steps`."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto measures for some seconds which is faster here."""
    channels_last: Choice = "auto"
    """Memory layout of images and kernels; auto measures."""
    compile: Choice = "auto"
    """`torch.compile`; auto measures on a GPU and is off on a processor."""
    cuda_graphs: Choice = "auto"
    """Replay the kernels of a step as one graph; auto measures on a GPU."""

    @field_validator("augment", mode="before")
    @classmethod
    def _augmentation_by_name(cls, given: Any) -> Any:
        return augmentation(given)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        stride = self.model.stride
        if self.size % stride:
            near = max(stride, round(self.size / stride) * stride)
            raise SpecError(
                f"size {self.size} is no multiple of {stride}; use {near}", key=("size",)
            )
        if self.real_share is not None and self.mix == "concatenate":
            raise SpecError(
                "real_share has no meaning with mix 'concatenate'; use 'balanced'",
                key=("real_share",),
            )
        if self.self_training is not None and self.mix == "concatenate":
            raise SpecError(
                "photos without labels have a share of each batch, which mix 'concatenate' "
                "does not know; use 'sequential' or 'balanced'",
                key=("self_training",),
            )
        if isinstance(self.class_weights, dict):
            wrong = [name for name, weight in self.class_weights.items() if not weight > 0]
            if wrong:
                raise SpecError(
                    f"the weight of class {wrong[0]} is not above 0",
                    key=("class_weights", wrong[0]),
                )
        if isinstance(self.model, WNetConfig):
            fitting = "softmax" if LOSSES[self.loss].extra_outputs else "sigmoid"
            if self.model.map_activation != fitting:
                raise SpecError(
                    f"the loss {self.loss} needs map_activation {fitting!r}",
                    key=("model", "map_activation"),
                )
        return self

    @model_serializer(mode="wrap")
    def _as_before_where_nothing_is_new(
        self, dump: SerializerFunctionWrapHandler
    ) -> dict[str, Any]:
        # A run's identity is its config's JSON: a key for what a run does not use would make
        # runs that were begun without that key other runs, which could not go on.
        content: dict[str, Any] = dump(self)
        for name in _ADDED_LATER:
            if getattr(self, name) == type(self).model_fields[name].default:
                content.pop(name, None)
        return content


def training_config(values: dict[str, Any]) -> TrainingConfig:
    """Validate `values` into a TrainingConfig. Raises UsageError naming the option."""
    try:
        return written_config(values)
    except SpecError as mistake:
        raise UsageError(
            mistake.what,
            where=dotted(mistake.key) or None,
            found=mistake.found,
            expected=mistake.expected,
            do=mistake.do,
        ) from None


def written_config(values: dict[str, Any]) -> TrainingConfig:
    """Validate options that stand in a file. Raises SpecError with the option as its key."""
    try:
        config = TrainingConfig.model_validate(values)
    except ValidationError as failure:
        raise mistakes(failure, values, TrainingConfig, "option")[0] from None
    # Not a validator's: a run of an earlier version may have it, and can be read.
    if config.schedule == "plateau" and config.plateau_epochs >= config.patience_epochs:
        raise SpecError(
            "training stops before the rate of schedule 'plateau' is halved",
            found=f"plateau_epochs {config.plateau_epochs}, patience_epochs "
            f"{config.patience_epochs}",
            expected="fewer plateau_epochs than patience_epochs",
            key=("plateau_epochs",),
        )
    return config
