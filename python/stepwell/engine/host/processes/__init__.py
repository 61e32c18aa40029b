"""Partitions in processes of their own, each with its own log and storage.

The program's process has a :class:`host.MultiProcessHost`. ``remote`` starts a process, communicates with it over a
socket (``messages``, ``wire``) and starts it again when it dies. ``process`` runs in it: a host whose handlers are
in the program's process.
"""
