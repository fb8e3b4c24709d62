"""Exchange formats, one file each: `import_…` brings images in, `as_…` writes labels out."""

from clearcoat.dataset.formats.bop import as_bop
from clearcoat.dataset.formats.coco import ImportSummary, as_coco, import_coco
from clearcoat.dataset.formats.images import import_images
from clearcoat.dataset.formats.voc import as_voc
from clearcoat.dataset.formats.yolo import YoloSummary, as_yolo

__all__ = [
    "ImportSummary",
    "YoloSummary",
    "as_bop",
    "as_coco",
    "as_voc",
    "as_yolo",
    "import_coco",
    "import_images",
]
