"""What objects weigh: a program that only grows is found out by its objects sooner than by its pages."""

from __future__ import annotations

import gc
import sys
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType

__all__ = ["weight"]

_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, CodeType)
"""What is not an object's own, whoever refers to it."""


def weight(*roots: object, apart: tuple[object, ...] = ()) -> int:
    """Bytes of everything that can be reached from the roots, leaving out what is ``apart``."""
    seen = {id(each) for each in apart}
    waiting = [root for root in roots if id(root) not in seen]
    seen.update(map(id, waiting))
    total = 0
    while waiting:
        each = waiting.pop()
        total += sys.getsizeof(each)
        for other in gc.get_referents(each):
            if id(other) not in seen and not isinstance(other, _SHARED):
                seen.add(id(other))
                waiting.append(other)
    return total
