"""Nodes of a cluster: the partitions' logs are in NATS JetStream, and each partition is led by one of the nodes."""
