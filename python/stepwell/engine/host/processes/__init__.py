"""Partitions in processes of their own: one a partition, each with its own log and storage.

The program's process holds a :class:`host.MultiProcessHost`; ``remote`` starts a process, speaks with it over a
socket (``messages``, ``wire``) and starts it again when it dies; ``process`` is what runs in it, a host as every
other one, whose handlers are at the other end.
"""
