"""A partition: the loop that processes commands, and the parts that it is made of."""
