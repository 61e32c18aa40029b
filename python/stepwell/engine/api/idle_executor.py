"""An executor over a folder that is only read: everything can be asked, nothing runs."""

from __future__ import annotations

from stepwell.engine.folders.paths import folder_path
from stepwell.engine.host.host import Host, Options
from stepwell.engine.host.idle import IdleHost
from stepwell.errors import InvalidInput

from .async_executor import AsyncExecutor


class IdleExecutor(AsyncExecutor):
    """What changes something raises ``ReadOnly``."""

    _serves = False

    def _open_host(self, options: Options) -> Host:
        from stepwell import _core

        path = folder_path(self._data)
        if path is None:
            raise InvalidInput("an executor in memory has nothing to be read")
        return IdleHost(_core.Folder.open(path), self._handlers, options)
