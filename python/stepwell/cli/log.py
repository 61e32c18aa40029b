"""``stepwell log verify|dump``: the log of a data folder that no process has open."""
