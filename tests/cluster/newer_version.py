"""``stepwell`` as a newer version whose records have another format: older nodes must not take what it writes."""

from __future__ import annotations

import sys

import stepwell.engine.cluster.coordinator
from stepwell import _core
from stepwell.cli.main import main

VERSION = "99.0"
RECORDS = 99

if __name__ == "__main__":
    _core.pretend_record_format(RECORDS)
    stepwell.engine.cluster.coordinator.VERSION = VERSION
    sys.exit(main())
