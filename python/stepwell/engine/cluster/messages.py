"""What a node sends to the leader of a partition, and what it gets back: the messages of partition processes."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from stepwell.engine.host.processes import messages as m
from stepwell.engine.log.records import DeleteWorkflowCommand, PutWorkflowCommand

NOT_LEADING = "NotLeading"
"""The failure of a request that came to a node which does not lead the partition any longer: it is asked again."""


class Deploy(Struct, array_like=True, tag=40):
    """A command for the definitions of all partitions. The node that leads the first partition carries it out."""

    number: int
    command: PutWorkflowCommand | DeleteWorkflowCommand


ToLeader = m.Submit | m.Read | m.Watch | m.Results | m.Heartbeat | Deploy
FromLeader = m.Reply | m.Ended
Request = m.Submit | m.Read | Deploy

to_leader: msgspec.msgpack.Decoder[tuple[int, list[ToLeader]]] = msgspec.msgpack.Decoder(tuple[int, list[ToLeader]])
from_leader: msgspec.msgpack.Decoder[tuple[int, list[FromLeader]]] = msgspec.msgpack.Decoder(
    tuple[int, list[FromLeader]]
)
