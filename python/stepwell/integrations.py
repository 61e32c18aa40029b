"""Services for Task states, to be switched on by name: ``stepwell[http]`` and ``stepwell[aws]``.

>>> from stepwell import Executor, integrations
>>> with Executor() as ex:
...     integrations.allow_http(ex, "api.example.com")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepwell.tasks.integrations.aws import forward as forward_to_aws
    from stepwell.tasks.integrations.http import allow as allow_http
    from stepwell.tasks.integrations.http_connections import HttpConnection

__all__ = ["HttpConnection", "allow_http", "forward_to_aws"]


def __getattr__(name: str) -> Any:
    if name == "allow_http":
        from stepwell.tasks.integrations.http import allow

        return allow
    if name == "forward_to_aws":
        from stepwell.tasks.integrations.aws import forward

        return forward
    if name == "HttpConnection":
        from stepwell.tasks.integrations.http_connections import HttpConnection

        return HttpConnection
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
