"""Hosts: open folders with partitions at work, in this process or in processes of their own."""
