"""USDZ packages, looked at before OpenUSD opens them: a zip file can lie about its sizes."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from clearcoat.errors import ProductError

_MOST_MEMBERS = 100_000
_MOST_BYTES = 1 << 33
_LAYERS = {".usd", ".usda", ".usdc"}


def check_package(path: Path) -> None:
    """Make sure that a package is what the USDZ specification allows.

    It is a zip file whose members are stored without compression, so that none can be larger
    than the package; the first is a USD layer.

    Raises:
        ProductError: no zip file, compressed or encrypted members, members that overlap, lead
            out of the package, or are too many or too large.
    """
    try:
        with zipfile.ZipFile(path) as package:
            members = package.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ProductError(
            "the USDZ package is damaged", where=path, found=error, do="export it again"
        ) from error
    problem = _problem(members, path.stat().st_size)
    if problem is not None:
        raise ProductError(
            "the USDZ package is not safe to open",
            where=path,
            found=problem,
            expected="uncompressed members inside the package, as the USDZ specification has it",
            do="make it with usdzip, or unpack it and read the layer inside",
        )


def _problem(members: list[zipfile.ZipInfo], size: int) -> str | None:
    if not members or PurePosixPath(members[0].filename).suffix.lower() not in _LAYERS:
        return "its first member is no USD layer" if members else "it is empty"
    if len(members) > _MOST_MEMBERS:
        return f"{len(members):,} members"
    for member in members:
        name = member.orig_filename
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if ".." in parts or name.startswith(("/", "\\")) or ":" in name or "\0" in name:
            return f"member {name[:80]!r} leads out of it"
        if member.flag_bits & 1:
            return f"member {name[:80]!r} is encrypted"
        if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
            ratio = member.file_size / max(member.compress_size, 1)
            return f"member {name[:80]!r} is compressed ({ratio:,.0f} times)"
    total = sum(member.file_size for member in members)
    if total > size:
        return f"members of {total:,} bytes in {size:,}: they overlap"
    if total > _MOST_BYTES:
        return f"{total:,} bytes"
    return None
