"""``stepwell serve``: AWS Step Functions' API over HTTP."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from functools import partial
from importlib import import_module
from math import inf, nan
from types import FrameType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stepwell import AsyncExecutor, integrations
from stepwell.engine.arns import PLACE
from stepwell.engine.folders.partitions import partitions_of
from stepwell.engine.host.reading import CONSISTENCIES
from stepwell.engine.limits import Limits
from stepwell.errors import InvalidInput

from .cluster_options import add_cluster, add_monitors, cluster_of
from .console import Console
from .exits import OK, UsageError
from .item_files import add_item_files, item_files_of
from .options import Commands, add_command, add_data, add_handlers, load_handlers, port_number, read_count

if TYPE_CHECKING:
    from stepwell.engine.cluster.options import Cluster
    from stepwell.step_functions.mocks import Mocks

PORT = 8083
"""That of AWS's Step Functions Local."""


def add_commands(commands: Commands) -> None:
    """Add ``serve``."""
    parser = add_command(commands, "serve", serve, "serve AWS Step Functions' API over HTTP, until SIGTERM")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: 127.0.0.1)")
    parser.add_argument("--port", type=port_number, default=PORT, help=f"the port (default: {PORT}; 0: a free one)")
    add_data(parser, otherwise="in memory, gone at the end")
    add_handlers(parser)
    add_item_files(parser)
    parser.add_argument(
        "--mock-config",
        metavar="FILE",
        default=os.environ.get("SFN_MOCK_CONFIG"),
        help="the mock file of Step Functions Local: starts of ARN#TESTCASE (default: $SFN_MOCK_CONFIG)",
    )
    parser.add_argument("--region", default="us-east-1", help="the region in ARNs (default: us-east-1)")
    parser.add_argument("--account", default="0" * 12, help="the account in ARNs (default: 000000000000)")
    parser.add_argument("--profile", choices=("default", "aws"), default="aws", help="quotas (default: AWS's)")
    parser.add_argument(
        "--partitions",
        type=read_count,
        metavar="N",
        help="processes that share the executions (default: as the folder has)",
    )
    add_cluster(parser, required=False)
    add_monitors(parser, "--cluster-monitors")
    parser.add_argument("--node", metavar="NAME", default="n1", help="this node of the cluster (default: n1)")
    parser.add_argument(
        "--cluster-consistency",
        choices=CONSISTENCIES,
        default="leader",
        help="who answers queries: the leader of each partition, or this node's copies (default: leader)",
    )
    parser.add_argument(
        "--cluster-dispatch",
        choices=("leader", "any"),
        default="leader",
        help="who does tasks: the node that leads their partition, or all nodes with their handler (default: leader)",
    )
    parser.add_argument(
        "--advertise",
        metavar="URL",
        default="",
        help="where clients reach this node: others show it, and it may be the host of requests; --host opens it",
    )
    parser.add_argument(
        "--unsafe-sync", action="store_true", help="accept NATS servers that could lose what they have confirmed"
    )
    parser.add_argument(
        "--snapshots", metavar="URL", help="where snapshots are kept: s3://bucket/prefix, a folder (default: in NATS)"
    )
    parser.add_argument(
        "--snapshot-bytes",
        type=read_count,
        metavar="N",
        help="make one after so many bytes of a stream (default: 64 MiB)",
    )
    parser.add_argument(
        "--retention",
        type=_days,
        metavar="DAYS",
        help="how long ended executions are kept (default: until DELETE; AWS keeps them for 90 days)",
    )
    parser.add_argument("--log-format", choices=("text", "json"), default="text", help="lines of text, or of JSON")
    parser.add_argument("--access-log", action="store_true", help="log each request")
    parser.add_argument("--log-events", action="store_true", help="log each event of each execution")
    parser.add_argument("--otel", action="store_true", help="export traces as OpenTelemetry's OTEL_… variables say")
    parser.add_argument("--metrics", action="store_true", help="serve metrics for Prometheus on GET /metrics")
    parser.add_argument("--tls-cert", metavar="FILE", help="a certificate chain, PEM: serve HTTPS")
    parser.add_argument("--tls-key", metavar="FILE", help="its key, PEM")
    parser.add_argument(
        "--wait-for-workers",
        action="store_true",
        help="let tasks without a handler wait for `stepwell worker` without limit (default: they fail after 10 s)",
    )
    parser.add_argument(
        "--forward-to-aws",
        action="store_true",
        help="call AWS's services for Task states (aws-sdk:…, sqs, sns, dynamodb, events), as boto3 is configured",
    )
    parser.add_argument(
        "--allow-http",
        metavar="HOST",
        action="append",
        default=[],
        help="a host that Task states may call by http:invoke: NAME, NAME:PORT or *.NAME",
    )
    _add_access(parser)


def _add_access(parser: argparse.ArgumentParser) -> None:
    """Who may use the server, and how many."""
    parser.add_argument("--credentials", metavar="FILE", help="access keys, in the form of ~/.aws/credentials")
    parser.add_argument(
        "--auth-token-file", metavar="FILE", help="bearer tokens, a line NAME TOKEN [read-only] for each"
    )
    parser.add_argument(
        "--allowed-host", metavar="NAME", action="append", default=[], help="another name that clients call the host"
    )
    parser.add_argument("--insecure", action="store_true", help="let everybody in who reaches --host")
    parser.add_argument(
        "--max-connections", type=read_count, metavar="N", default=2000, help="connections at once (default: 2000)"
    )


def serve(options: argparse.Namespace, console: Console) -> int:
    """Serve until a signal ends it."""
    signal.signal(signal.SIGHUP, _too_early)
    try:
        from stepwell.server import serving
        from stepwell.server.limits import Limits as ServerLimits
        from stepwell.server.log_lines import log_in_lines
        from stepwell.server.settings import Settings
    except ImportError as error:
        raise UsageError(f"the server needs what `pip install stepwell[server]` installs: {error}.") from error
    if (options.tls_cert is None) != (options.tls_key is None):
        raise UsageError("--tls-cert and --tls-key belong together.")
    _check_extra(options.metrics, "--metrics", "prometheus_client", "prometheus")
    _check_extra(options.otel, "--otel", "opentelemetry.sdk", "otel")
    PLACE.move(options.region, options.account)
    log_in_lines(options.log_format)
    settings = Settings(
        options.host.removeprefix("[").removesuffix("]"),  # as in a URL
        options.port,
        options.tls_cert,
        options.tls_key,
        options.credentials,
        options.auth_token_file,
        _allowed_hosts(options),
        options.insecure,
        ServerLimits(connections=options.max_connections),
        options.metrics,
        options.access_log,
        options.log_events,
        options.otel,
    )
    cluster = _cluster(options) if options.cluster else None
    load = partial(load_handlers, options.handlers) if options.handlers else None
    mocks = _mocks(options.mock_config) if options.mock_config else None
    executor = AsyncExecutor(
        options.data,
        handlers=None if load is None else load(),
        profile=options.profile,
        limits=_engine_limits(options),
        item_files=item_files_of(options),
        partitions=1 if cluster else options.partitions or _partitions(options.data),
        cluster=cluster,
    )
    _add_integrations(options, executor)
    serving.run(serving.serve(executor, settings, partial(_ready, console), load, mocks))
    return OK


def _allowed_hosts(options: argparse.Namespace) -> tuple[str, ...]:
    """The names that clients may call the host: those of ``--allowed-host``, and that of ``--advertise``."""
    advertised: str = options.advertise
    if not advertised:
        return tuple(options.allowed_host)
    try:
        host = urlsplit(advertised).hostname
    except ValueError:
        host = None
    if not host:
        raise UsageError(f"--advertise is a URL such as http://a:8083, not {advertised}.")
    return (*options.allowed_host, host)


def _partitions(data: str | None) -> int:
    return (partitions_of(data) if data else None) or 1


def _cluster(options: argparse.Namespace) -> Cluster:
    _check_extra(True, "--cluster", "nats", "nats")
    if not options.data:
        raise UsageError("--cluster keeps this node's copies in a data folder: give --data DIR, or set STEPWELL_DATA.")
    return cluster_of(
        options,
        node=options.node,
        advertise=options.advertise,
        partitions=options.partitions,
        monitors=options.cluster_monitors,
        unsafe_sync=options.unsafe_sync,
        consistency=options.cluster_consistency,
        dispatch=options.cluster_dispatch,
        snapshots=options.snapshots,
        **({} if options.snapshot_bytes is None else {"snapshot_bytes": options.snapshot_bytes}),
    )


def _add_integrations(options: argparse.Namespace, executor: AsyncExecutor) -> None:
    """Let Task states reach what the options allow; a handler of the program comes before that."""
    if options.forward_to_aws:
        _check_extra(True, "--forward-to-aws", "boto3", "aws")
        integrations.forward_to_aws(executor)
    if options.allow_http:
        _check_extra(True, "--allow-http", "urllib3", "http")
        integrations.allow_http(executor, *options.allow_http)


def _mocks(path: str) -> Mocks:
    from stepwell.step_functions.mocks import Mocks

    try:
        return Mocks(path)
    except InvalidInput as error:
        raise UsageError(f"--mock-config {path}: {error}.") from error


def _check_extra(is_wanted: bool, option: str, module: str, extra: str) -> None:
    if not is_wanted:
        return
    try:
        import_module(module)
    except ImportError as error:
        raise UsageError(f"{option} needs what `pip install stepwell[{extra}]` installs.") from error


def _engine_limits(options: argparse.Namespace) -> Limits:
    limits = Limits(retention=options.retention)
    return limits._replace(handler_seconds=None) if options.wait_for_workers else limits


def _ready(console: Console, url: str) -> None:
    # What is there by now stays until the end: a full collection would visit all of it again and again, and the
    # requests of that moment would wait. This process is the server's own, else it would not be ours to decide.
    # And young objects are looked at less often: requests leave hardly any that refer to each other in a circle.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])
    console.record({"ready": url}, f"stepwell: ready on {url}")
    sys.stdout.flush()  # who started it waits for this line


_YOUNG_OBJECTS = 10_000
"""So many new objects make Python look for garbage; by default it is 700, about those of ten requests."""


def _too_early(_number: int, _frame: FrameType | None) -> None:
    """SIGHUP asks for what is about to be read: it must not end the process."""


def _days(text: str) -> float:
    """A number of days, in seconds."""
    try:
        days = float(text)
    except ValueError:
        days = nan
    if not 0 <= days < inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days")
    return days * 86_400
