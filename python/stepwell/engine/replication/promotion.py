"""The promotion of a follower: fence the leader, apply everything that it confirmed, become a leader.

Whatever can be checked before the leader is fenced is checked before. If something fails after that, the fence is
withdrawn: the leader can continue, and nothing was taken over.
"""

from __future__ import annotations

from typing import NamedTuple

from stepwell.engine.folders.follows import end_following
from stepwell.errors import FencedError, StorageError
from stepwell.logs import logger

from .replica import Replica

log = logger("stepwell.engine")


class Loss(NamedTuple):
    """What was lost: the records from position ``first`` to ``last``. None: the last one is not known."""

    first: int
    last: int | None
    reason: str


def take_over(replica: Replica, failure: BaseException | None, *, accept_loss: bool) -> Loss | None:
    """Fence the leader and apply the rest of its log. Returns what of it is lost, if that is accepted.

    ``failure`` is the error that stopped the follower, if one did.
    """
    if failure is not None:
        replica.forget()
    _catch_up(replica, accept_loss)  # finds what cannot be read, before the leader is fenced
    store, source = replica.store, replica.source
    store.begin_epoch(store.epoch())  # finds what cannot be written, before the leader is fenced
    try:
        epoch = _fence(replica, accept_loss)
        reason = _catch_up(replica, accept_loss)
        _say_unreadable(replica)
        loss = None if reason is None else _loss(replica, reason)
        if loss is not None:
            last = "nobody knows which" if loss.last is None else loss.last
            log.warning("promoted without positions %d to %s of %s: %s", loss.first, last, source, reason)
        store.begin_epoch(epoch)
    except BaseException as error:
        _withdraw(replica, error)
        raise
    end_following(replica.folder, store.tail())
    _forget_mark(replica)
    return loss


def _fence(replica: Replica, accept_loss: bool) -> int:
    """Fence the leader. Returns the new epoch."""
    epoch = max(replica.store.epoch(), replica.log.epoch()) + 1
    try:
        epoch, by, leader = replica.log.fence(epoch)
    except StorageError as error:
        if isinstance(error, FencedError) or not accept_loss:
            raise
        log.warning("promoted, though the leader in %s could not be ended: %s", replica.source, error)
        return epoch
    if by != replica.id:
        raise FencedError(f"{leader} took over from {replica.source} at epoch {epoch}: follow that one")
    return max(epoch, replica.store.epoch())


def _catch_up(replica: Replica, accept_loss: bool) -> StorageError | None:
    """Apply the rest of the log. Returns why not all of it, if that is accepted."""
    try:
        replica.catch_up()
    except StorageError as error:
        if isinstance(error, FencedError) or not accept_loss:
            raise
        replica.forget()
        return error
    return None


def _loss(replica: Replica, reason: StorageError) -> Loss:
    first = replica.store.applied() + 1
    try:
        last = replica.log.last_named()
    except StorageError:
        last = 0
    return Loss(first, last if last >= first else None, str(reason))


def _withdraw(replica: Replica, error: BaseException) -> None:
    """Withdraw the fence: nothing was taken over, and the leader can continue."""
    try:
        replica.log.withdraw()
    except StorageError as other:
        error.add_note(
            f"the leader in {replica.source} is ended, and {replica.data} has not taken over: "
            f"its fence could not be taken down again ({other}). Promote a follower in {replica.data} once more."
        )


def _say_unreadable(replica: Replica) -> None:
    """The log is what counts, and it is all there as far as it says itself: the leader's storage would say more."""
    unreadable = replica.log.unreadable()
    if unreadable is not None:
        log.warning("nobody can tell whether the end of the log in %s is missing: %s", replica.source, unreadable)


def _forget_mark(replica: Replica) -> None:
    try:
        replica.log.forget()
    except StorageError as error:  # the mark only prevents the truncation of a log that has ended
        log.warning("the mark of %s stays in %s: %s", replica.data, replica.source, error)
