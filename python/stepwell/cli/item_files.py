"""The options that say which files Distributed Maps may use."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from stepwell import ItemFiles

from .exits import UsageError

if TYPE_CHECKING:
    from stepwell.tasks.items.objects import Objects


def add_item_files(parser: argparse.ArgumentParser) -> None:
    """``--buckets``, ``--s3``, ``--s3-endpoint`` and ``--file-root``."""
    where = parser.add_argument_group("files of Distributed Maps (default: none may be used)")
    where.add_argument("--buckets", metavar="DIR", help="buckets are the folders in this one")
    where.add_argument("--s3", action="store_true", help="buckets are those of S3, as the AWS_… variables say")
    where.add_argument("--s3-endpoint", metavar="URL", help="buckets are those of this service with S3's protocol")
    where.add_argument(
        "--file-root",
        metavar="DIR",
        action="append",
        default=[],
        help="a bucket file:///FOLDER in this folder may be used; may be repeated",
    )


def item_files_of(options: argparse.Namespace) -> ItemFiles | None:
    """What the options allow; None: nothing. Raises ``UsageError``."""
    uses_s3 = options.s3 or options.s3_endpoint is not None
    if uses_s3 and options.buckets is not None:
        raise UsageError("--buckets and --s3 say both where buckets are: give one of them.")
    for folder in [*options.file_root, *([] if options.buckets is None else [options.buckets])]:
        if not Path(folder).is_dir():
            raise UsageError(f"there is no folder {folder}.")
    if uses_s3:
        return ItemFiles(options.file_root, _s3(options.s3_endpoint))
    if options.file_root or options.buckets is not None:
        return ItemFiles(options.file_root, options.buckets)
    return None


def _s3(endpoint: str | None) -> Objects:
    if importlib.util.find_spec("obstore") is None:
        raise UsageError("--s3 needs what `pip install stepwell[s3]` installs.")
    from stepwell.tasks.items.s3 import S3Objects

    return S3Objects() if endpoint is None else S3Objects(endpoint=endpoint)
