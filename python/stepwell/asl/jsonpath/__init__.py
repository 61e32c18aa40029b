"""JSONPath as AWS reads it: the dialect of Jayway's Java library, with Jackson values.

It is neither RFC 9535 nor Goessner's. A path of single steps is *definite* and returns the value itself or nothing; any
other returns a list. A filter on an object tests the object itself; ``[a:b:step]`` has no step. ``compile_query`` turns
a text into a ``Query`` once; evaluating it does no parsing.
"""

from stepwell.asl.jsonpath.query import MISSING, Query, compile_query

__all__ = ["MISSING", "Query", "compile_query"]
