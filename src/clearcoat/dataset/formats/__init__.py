"""Exchange formats, one file each: `import_…` brings images in, `as_…` writes labels out."""

from clearcoat.dataset.formats.coco import ImportSummary, as_coco, import_coco
from clearcoat.dataset.formats.voc import as_voc

__all__ = ["ImportSummary", "as_coco", "as_voc", "import_coco"]
