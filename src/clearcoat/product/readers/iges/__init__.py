"""IGES 5.3 (.igs, .iges): the directory gives the tree, OpenCASCADE the triangles of each part."""

from clearcoat.product.readers.iges.reader import read

__all__ = ["read"]
