"""What a distributed Map state reads its items from, and writes its results to (ASL A12.60, A12.62)."""

from .objects import ItemFiles, ObjectInfo, Objects

__all__ = ["ItemFiles", "ObjectInfo", "Objects"]
