"""glTF 2.0 (.glb, .gltf): container, accessors, materials, and the node tree that joins them."""

from clearcoat.product.readers.gltf.tree import read

__all__ = ["read"]
