"""A partition: the processing loop and its parts."""
