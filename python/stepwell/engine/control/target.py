"""What a server serves: an executor's engine, or a follower's copy, which can only be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from stepwell.engine.storage.storage import Rows

if TYPE_CHECKING:
    from stepwell.engine.client.client import Client
    from stepwell.engine.limits import Limits

    from .status import Live


class Target(NamedTuple):
    """``client`` takes commands; None: there are none, for this process ``follows`` another folder."""

    rows: Rows
    check: Callable[[], None]
    """Raises what keeps it from being read."""
    describe: Callable[[], Live]
    tenant: str
    namespace: str
    limits: Limits
    since: float
    """When it was opened, in seconds since the epoch."""
    client: Client | None = None
    follows: str | None = None
