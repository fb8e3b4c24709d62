"""Training, scoring and prediction: images on the device, one loop, one folder per run."""

from clearcoat.training.arrays import ImageSet, image_set, join
from clearcoat.training.checks import require_same_classes
from clearcoat.training.config import (
    AUGMENTATIONS,
    Augmentation,
    SelfTraining,
    TrainingConfig,
    training_config,
    written_config,
)
from clearcoat.training.folder import RunFolder, finished_run
from clearcoat.training.losses import LOSSES, Loss, find_loss
from clearcoat.training.metrics import IoUCounter, Score
from clearcoat.training.predictor import Predictor
from clearcoat.training.progress import Observer, Progress, Silent, StoppedError
from clearcoat.training.recipes import RECIPES, recipe, with_size_of_recipe
from clearcoat.training.run import load_model, run_training
from clearcoat.training.scoring import score_model
from clearcoat.training.selection import Sources, pack
from clearcoat.training.tensorboard import TensorBoard
from clearcoat.training.tiles import Tiling
from clearcoat.training.trainer import Trainer

__all__ = [
    "AUGMENTATIONS",
    "LOSSES",
    "RECIPES",
    "Augmentation",
    "ImageSet",
    "IoUCounter",
    "Loss",
    "Observer",
    "Predictor",
    "Progress",
    "RunFolder",
    "Score",
    "SelfTraining",
    "Silent",
    "Sources",
    "StoppedError",
    "TensorBoard",
    "Tiling",
    "Trainer",
    "TrainingConfig",
    "find_loss",
    "finished_run",
    "image_set",
    "join",
    "load_model",
    "pack",
    "recipe",
    "require_same_classes",
    "run_training",
    "score_model",
    "training_config",
    "with_size_of_recipe",
    "written_config",
]
