"""Hosts: open folders whose partitions run, in this process or in processes of their own."""
