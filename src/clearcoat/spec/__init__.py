"""The machinery of specs: YAML with line numbers into validated models. Knows no meaning."""

from clearcoat.spec.document import Document, load, parse
from clearcoat.spec.model import Model, digest
from clearcoat.spec.watching import Watched

__all__ = ["Document", "Model", "Watched", "digest", "load", "parse"]
