"""Files that a product file refers to: only from its own folder and below."""

from __future__ import annotations

from pathlib import Path

from clearcoat.errors import ProductError

MOST_BYTES_BESIDE = 1 << 31


def read_beside(
    product: Path, name: str, *, of: str, missing_is_none: bool = False
) -> bytes | None:
    """Return the bytes of a file that is named relative to the product.

    Links are followed before the check, so that none leads out of the folder.

    Args:
        product: the product file.
        name: path relative to its folder.
        of: what refers to the file, for errors.
        missing_is_none: return None where there is no such file, instead of raising.

    Raises:
        ProductError: outside the folder, no regular file, unreadable or larger than 2 GiB.
    """
    folder = product.parent.resolve()
    mend = "put the file beside the product and refer to it by its relative path"
    if "\0" in name or "://" in name:
        raise ProductError(f"{of} lies elsewhere", where=product, found=name[:80], do=mend)
    target = (folder / name).resolve()
    if not target.is_relative_to(folder):
        raise ProductError(
            f"{of} points outside the product's folder", where=product, found=name[:80], do=mend
        )
    try:
        if not target.exists() and missing_is_none:
            return None
        if not target.is_file() or target.stat().st_size > MOST_BYTES_BESIDE:
            raise ProductError(
                f"{of} is no file of a sensible size", where=product, found=name[:80]
            )
        return target.read_bytes()
    except OSError as error:
        raise ProductError(
            f"{of} cannot be read",
            where=product,
            found=f"{name}: {error.strerror}",
            expected="a file beside the product",
            do="copy the whole folder of the product",
        ) from error
