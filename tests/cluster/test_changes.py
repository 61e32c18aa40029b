"""Workflows are changed by one node at a time."""

from __future__ import annotations

import time

import pytest

from cluster.bucket import Bucket
from stepwell import StorageError
from stepwell.engine.cluster import changes
from stepwell.engine.cluster.changes import ChangeLock
from stepwell.engine.cluster.records import CHANGING, ChangingRecord


def test_a_change_of_workflows_waits_for_others_but_not_for_one_that_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket = Bucket()
    ours, other = ChangeLock(bucket, "ours"), ChangeLock(bucket, "other")
    with ours, ours:
        pass
    monkeypatch.setattr(changes, "PATIENCE_SECONDS", 0.0)
    bucket.read_at = time.monotonic()
    with other, pytest.raises(StorageError, match="other nodes change them"), ours:
        pass
    with ours:
        pass
    bucket.is_away = True
    with pytest.raises(StorageError, match="they are away"), ours:
        pass
    bucket.is_away = False
    bucket.put(CHANGING, ChangingRecord("dead"))
    with pytest.raises(StorageError, match="other nodes change them"), ours:
        pass
    bucket.read_at -= changes.HELD_SECONDS
    with ours:
        pass
