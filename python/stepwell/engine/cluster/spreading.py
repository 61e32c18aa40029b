"""Tasks of the partitions that this node leads, for the handlers of all nodes (``Cluster(dispatch="any")``).

A task waits here until a node has a handler for it and room, and is then given to the one that has the fewest tasks.
A node that is not heard of for a lease has nothing any more: its tasks are given to others. So a handler is called at
least once for each attempt, and the first result counts.

The thread offers what this node's handlers can do, to all nodes; each node does so. Nothing of this is on the log: the
next leader learns from the offers which tasks are with whom.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from stepwell.engine.host.processes.wire import encoded, in_shares
from stepwell.engine.host.promises import answering
from stepwell.logs import logger
from stepwell.tasks.dispatch import WAKE_SECONDS, Call
from stepwell.tasks.limits import MAX_WINDOW

from .frames import Inbox, Outbox
from .holding import Holding
from .offers import Give, Given, Offer, Over, ToSharer, to_sharer
from .sharers import Sharer, can_do, holder_of
from .sharing_node import SharingNode
from .waiting import Waiting, wanted

if TYPE_CHECKING:
    from nats.aio.msg import Msg

log = logger("stepwell.cluster")

OFFER_SECONDS = 1.0
CLAIM_SECONDS = 1.0
"""How long a new leader waits for nodes to say that they have a task, before it gives the task to somebody."""


class Spreading:
    """Any thread may call it."""

    def __init__(self, node: SharingNode, max_workers: int) -> None:
        self._node, self._max_workers = node, max_workers
        self.holding = Holding(node.pool, node.send_results)
        self._lock = threading.Lock()
        self._sharers: dict[str, Sharer] = {}
        self._waiting = Waiting()
        self._silence = max(node.cluster.lease, 3 * OFFER_SECONDS)
        """After so many seconds a node that is not heard of has no tasks any more."""
        self._stops = self._leaves = self._offers_at_once = False
        self._outboxes: dict[str, Outbox] = {}
        self._ticked = time.monotonic()
        self._poked, self._closing = threading.Event(), threading.Event()
        self._inbox: Inbox[ToSharer] = Inbox(to_sharer, lambda: node.hlc)
        cluster, link = node.cluster, node.link
        self._offers = Outbox(link, lambda: node.hlc, cluster.subject("offers"), f"{node.boot}.offers")
        self._subscriptions = [
            link.subscribe(cluster.subject("offers"), self._receive),
            link.subscribe(cluster.subject("t", node.boot), self._receive),
        ]
        self._thread = threading.Thread(target=self._run, name="stepwell-sharing", daemon=True)
        self.offer()
        self._thread.start()

    # tasks of partitions that are led here

    def dispatch(self, calls: list[Call]) -> None:
        """Find nodes for tasks that are durable."""
        here = self._wait(calls)
        if here:
            self._node.pool.dispatch(here)
        self._serve()

    def resume(self, calls: list[Call]) -> None:
        """Find nodes for tasks that an earlier leader gave to somebody, who may still be at work."""
        own = [call for call in calls if self._is_engines(call)]
        with self._lock:
            self._waiting.resume([call for call in calls if call not in own], time.monotonic() + CLAIM_SECONDS)
            for sharer in self._sharers.values():
                self._waiting.claim(sharer)
        if own:
            self._node.pool.resume(own)
        self._poked.set()

    def ended(self, ids: list[str]) -> None:
        """Tasks have ended without results of their handlers."""
        unknown = self._drop(ids, by="")
        if unknown:
            self._node.pool.ended(unknown)

    def answered(self, ids: list[str], by: str) -> None:
        """A node has sent results of these tasks."""
        self._drop(ids, by)
        self._serve()

    def forget(self, place: int) -> None:
        """Another node is about to lead a partition: who has its tasks keeps them."""
        node = self._node
        with self._lock:
            self._waiting.forget(lambda id: node.place_of(id) == place)
            for sharer in self._sharers.values():
                for id in [id for id in sharer.given if node.place_of(id) == place]:
                    sharer.take(id)

    def count(self, place: int) -> int:
        """How many tasks of a partition wait or are with nodes."""
        node = self._node
        with self._lock:
            ids = [id for sharer in self._sharers.values() for id in sharer.given]
            ids += list(self._waiting)
        return sum(node.place_of(id) == place for id in ids)

    # handlers

    def windows(self) -> list[tuple[str, int]]:
        """The handlers of all nodes, and how many tasks of each a partition may hand out before they begin (0: any)."""
        with self._lock:
            offered = [each.handlers.most for each in self._sharers.values()]
        found: dict[str, int] = dict(self._node.handlers.windows())
        for name in {name for most in offered for name in most} - found.keys():
            counts = [most[name] for most in offered if name in most]
            found[name] = 0 if 0 in counts else min(MAX_WINDOW, sum(counts))
        return list(found.items())

    def has_elsewhere(self, names: tuple[str, ...]) -> bool:
        """Whether any node has one of these handlers."""
        with self._lock:
            return can_do(self._sharers.values(), names)

    def offer(self) -> None:
        """Tell all nodes what this one can do and has, soon."""
        self._take_offer(self._own_offer())
        self._offers_at_once = True
        self._poked.set()

    def _tell(self) -> None:
        own = self._own_offer()
        self._offers.post(encoded(own))
        self._take_offer(own)

    def _own_offer(self) -> Offer:
        node = self._node
        handlers = [] if self._stops else node.handlers.offers(self._max_workers)
        held = {} if self._leaves else self.holding.held()
        return Offer(node.cluster.node, node.boot, handlers, held, self._leaves)

    # finding nodes

    def _wait(self, calls: list[Call]) -> list[Call]:
        """Let tasks wait for a node; returns those that only this node's pool can deal with."""
        here: list[Call] = []
        for call in calls:
            if self._is_engines(call):
                here.append(call)
                continue
            names = wanted(call)
            with self._lock:
                if can_do(self._sharers.values(), names):
                    self._waiting.add(names, call)
                else:
                    here.append(call)  # where it waits for a handler, and fails in the end
        return here

    def _is_engines(self, call: Call) -> bool:
        """Whether the engine, or a mock, does a task: its leader's."""
        return bool(call.test_case) or any(map(self._node.handlers.is_engines, wanted(call)))

    def _serve(self) -> None:
        """Give the tasks that wait to nodes that have room."""
        with self._lock:
            given = self._waiting.give(self._sharers)
        for boot, tasks in given.items():
            self._send(boot, tasks)

    def _send(self, boot: str, tasks: list[Given]) -> None:
        for _, call in tasks:
            if call.limit:
                self._node.free(call)
        if boot == self._node.boot:
            own = [Given(handler, replace(call, limit="")) for handler, call in tasks]
            self.holding.take(own)
            self._poked.set()  # its thread looks after those that wait for one of the pool
            return
        # whether its time is over is said by this node's clock
        others = [Given(handler, replace(call, limit="", deadline=0)) for handler, call in tasks]
        for share in in_shares(others, lambda task: len(task.call.input)):
            self._post(boot, Give(share))

    def _post(self, boot: str, message: Give | Over) -> None:
        outbox = self._outboxes.get(boot)
        if outbox is None:
            node = self._node
            subject = node.cluster.subject("t", boot)
            outbox = self._outboxes.setdefault(boot, Outbox(node.link, lambda: node.hlc, subject, node.boot))
        outbox.post(encoded(message))

    def _drop(self, ids: list[str], by: str) -> list[str]:
        """Tasks are not to be given to anybody any more, and whoever has them, other than ``by``, may stop.

        Returns those that nobody has: only the pool of this node may know them.
        """
        unknown: list[str] = []
        stopped: dict[str, list[str]] = {}
        forgotten: list[Call] = []
        with self._lock:
            for id in ids:
                sharer = holder_of(self._sharers.values(), id)
                if sharer is not None:
                    sharer.take(id)
                    if sharer.boot != by:
                        stopped.setdefault(sharer.boot, []).append(id)
                elif (call := self._waiting.take(id)) is not None:
                    forgotten.append(call)
                else:
                    unknown.append(id)
        for call in forgotten:
            if call.limit:
                self._node.free(call)
        self._call_off(stopped)
        return unknown

    def _call_off(self, ids: dict[str, list[str]]) -> None:
        for boot, those in ids.items():
            if boot == self._node.boot:
                self.holding.over(those)
            else:
                self._post(boot, Over(those))

    # what nodes say, in the connection's thread

    async def _receive(self, message: Msg) -> None:
        with answering():
            for each in self._inbox.take(message.reply, message.data, self._node.clock.now()):
                try:
                    self._take(each)
                except Exception:
                    log.exception("a message of a node that shares tasks cannot be dealt with")

    def _take(self, message: ToSharer) -> None:
        if isinstance(message, Give):
            self.holding.take(message.tasks)
            self._poked.set()
        elif isinstance(message, Over):
            self.holding.over(message.ids)
        elif message.boot != self._node.boot:
            self._take_offer(message)

    def _take_offer(self, offer: Offer) -> None:
        with self._lock:
            sharer = self._sharers.setdefault(offer.boot, Sharer(offer.boot))
            before = sharer.handlers
            sharer.take_offer(offer)
            strange = self._waiting.claim(sharer)
            lost = sharer.lost()
        if sharer.handlers is not before:
            self._handlers_changed()
        self._settle(sharer, strange, lost)
        if offer.leaves:
            self._lose(sharer, "has ended")
        self._serve()

    def _settle(self, sharer: Sharer, strange: list[str], lost: list[str]) -> None:
        """Call off what a node has though it has ended, and give once more what it should have."""
        over = [id for id in strange if self._node.waits_for_handler(id) is False]
        self._call_off({sharer.boot: over} if over else {})
        again = [id for id in lost if self._node.waits_for_handler(id)]
        gone = set(lost) - set(again)
        with self._lock:
            for id in gone:
                sharer.take(id)
            tasks = [sharer.given[id] for id in again if id in sharer.given]
        if tasks:
            log.warning("node %s has not got %d tasks, or their results were lost: again", sharer.node, len(tasks))
            self._send(sharer.boot, tasks)

    def _handlers_changed(self) -> None:
        """Somebody has another handler."""
        self._node.limits_changed()
        self._take_unhandled()

    def _take_unhandled(self) -> None:
        """Somebody may have a handler for what waits in this node's pool."""
        with self._lock:
            sharers = list(self._sharers.values())
        self.dispatch(self._node.pool.take_unhandled(lambda call: can_do(sharers, wanted(call))))

    def _lose(self, sharer: Sharer, why: str) -> None:
        """A node has nothing any more."""
        with self._lock:
            if self._sharers.pop(sharer.boot, None) is None:
                return
            calls = [given.call for given in sharer.given.values()]
            self._outboxes.pop(sharer.boot, None)
        if calls:
            log.warning("node %s %s: others get the %d tasks it had", sharer.node, why, len(calls))
        self._resume_here([replace(call, limit="") for call in calls])

    def _resume_here(self, calls: list[Call]) -> None:
        """Find nodes for tasks that somebody had; where there is no handler they wait for one, as after a restart."""
        here = self._wait(calls)
        if here:
            self._node.pool.resume(here)
        self._serve()

    # the thread

    def _run(self) -> None:
        offered = 0.0
        while not self._closing.is_set():
            now = time.monotonic()
            self._poked.clear()
            if now - offered >= OFFER_SECONDS or self._offers_at_once:
                offered, self._offers_at_once = now, False
                try:
                    self._tick(now)
                except Exception:
                    log.exception("the sharing of tasks goes on after an error")
            pool = self._node.pool
            pool.wake_worker()
            pause = WAKE_SECONDS if pool.has_backlog else OFFER_SECONDS
            self._poked.wait(min(pause, max(0.0, offered + OFFER_SECONDS - time.monotonic())))

    def _tick(self, now: float) -> None:
        """Offer, look who is there, and give what nobody has claimed."""
        was_paused = now - self._ticked > 2 * OFFER_SECONDS
        self._ticked = now
        self._tell()
        with self._lock:
            lost = [each for each in self._sharers.values() if now - each.heard > self._silence]
            if was_paused:  # then nobody could be heard
                for each in lost:
                    each.trust(now)
                lost = []
            due = self._waiting.unclaimed(now)
        for each in lost:
            self._lose(each, "is not heard of")
        self._resume_here(due)
        if self._node.pool.unhandled:
            self._take_unhandled()

    # the end

    def stop(self) -> None:
        """Take no more tasks: the node is about to close."""
        self._stops = True
        self.offer()

    def leave(self) -> None:
        """Nothing runs here any more: others get what was left."""
        self._leaves = True
        self._tell()

    def close(self) -> None:
        """End."""
        self._closing.set()
        self._poked.set()
        self._thread.join()
        for each in self._subscriptions:
            self._node.link.unsubscribe(each)
