"""Item readers and result writers of a Distributed Map state (ASL A12.60, A12.62)."""

from .files import ItemFiles
from .objects import ObjectInfo, Objects

__all__ = ["ItemFiles", "ObjectInfo", "Objects"]
