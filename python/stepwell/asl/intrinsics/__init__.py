"""The eighteen intrinsic functions: ``States.Format('Hello {}', $.name)`` and others (ASL A13).

``compile_intrinsic`` turns a call into a function of the scope, once; evaluating it does no parsing. Every failure of a
call is States.Runtime, whose text quotes the whole expression of the definition.
"""

from stepwell.asl.intrinsics.call import Intrinsic, compile_intrinsic
from stepwell.asl.intrinsics.functions import FUNCTIONS

__all__ = ["FUNCTIONS", "Intrinsic", "compile_intrinsic"]
