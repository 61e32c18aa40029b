"""Snapshots of partitions: where they lie, how they are made, and how a copy begins with one.

``places`` and ``bucket`` are where files are kept. ``archive`` makes one file of a folder. ``catalog`` knows which
snapshots count. ``maker`` makes them on a node and purges streams, and ``beginning`` gives a copy its beginning.
``restoring`` makes a cluster, or its lost streams, of a node's copies or of snapshots.
"""
