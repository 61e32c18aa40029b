"""Nodes of a cluster: the partitions' logs are in NATS JetStream, and each partition is led by one of the nodes.

``options`` says which cluster. ``link`` is the connection to NATS. ``registry`` keeps who leads what, ``placement``
says who should, and ``coordinator`` brings that about. ``partition`` is one partition as a node sees it, whoever leads
it: ``leadership`` has the node's copy, which ``copies`` opens, ``led`` runs the partition, ``requests`` asks a leader
elsewhere, and ``serving`` answers other nodes. ``host`` joins them. ``overview`` shows a cluster to an operator.
"""
