"""Engines on other machines, through a server's HTTP: ``RemoteExecutor``, and workers that do its tasks."""
