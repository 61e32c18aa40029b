"""Replication: keeps a copy of another executor's folder, and promotes it."""
