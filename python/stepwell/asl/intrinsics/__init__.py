"""The intrinsic functions: ``States.Format('Hello {}', $.name)`` and its seventeen kin (ASL A13).

``compile_intrinsic`` makes a call a function of the scope, once; calling it does no parsing. Whatever goes wrong in a
call is States.Runtime, and its text names the whole expression as the definition wrote it.
"""

from stepwell.asl.intrinsics.call import Intrinsic, compile_intrinsic
from stepwell.asl.intrinsics.functions import FUNCTIONS

__all__ = ["FUNCTIONS", "Intrinsic", "compile_intrinsic"]
