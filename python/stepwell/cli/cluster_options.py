"""Options that say which cluster a command is about."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from stepwell.errors import InvalidInput

from .exits import UsageError

if TYPE_CHECKING:
    from stepwell.engine.cluster.options import Cluster


def add_cluster(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """``--cluster`` and ``--cluster-name``."""
    servers = os.environ.get("STEPWELL_CLUSTER")
    parser.add_argument(
        "--cluster",
        metavar="URL,…",
        default=servers,
        required=required and servers is None,
        help="the NATS servers, such as nats://a:4222,nats://b:4222 (default: $STEPWELL_CLUSTER)",
    )
    parser.add_argument(
        "--cluster-name",
        metavar="NAME",
        default=os.environ.get("STEPWELL_CLUSTER_NAME", "stepwell"),
        help="which cluster of these servers (default: $STEPWELL_CLUSTER_NAME, else stepwell)",
    )
    parser.add_argument("--nats-credentials", metavar="FILE", help="a file of NATS credentials")


def add_monitors(parser: argparse.ArgumentParser, option: str) -> None:
    """The monitoring ports of the servers."""
    parser.add_argument(
        option,
        metavar="URL,…",
        type=_urls,
        default=_urls(os.environ.get("STEPWELL_CLUSTER_MONITORS", "")),
        help="the servers' monitoring ports, such as http://a:8222, which tell whether each write is synced (default: "
        "$STEPWELL_CLUSTER_MONITORS; without them nobody checks that)",
    )


def _urls(text: str) -> list[str]:
    return [url.strip() for url in text.split(",") if url.strip()]


def cluster_of(options: argparse.Namespace, **more: Any) -> Cluster:
    """The cluster that the options name. Raises ``UsageError``."""
    from stepwell.engine.cluster.options import Cluster

    try:
        return Cluster(options.cluster, name=options.cluster_name, credentials=options.nats_credentials, **more)
    except InvalidInput as error:
        raise UsageError(f"--cluster: {error}.") from error
