"""Replication: a copy of another executor's folder, kept up with it, and its promotion."""
