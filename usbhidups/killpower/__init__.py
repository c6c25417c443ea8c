"""Cutting the power, now that the host has shut down: alone, in bounded time, and saying how sure it is.

``single`` does it for one UPS, ``several`` for all of them in NUT's order, each in a process that can be left
behind; ``turns`` keeps two kill-powers of one UPS from meeting on the wire; ``flag`` knows whether NUT wants
it. Nothing is written anywhere but to the device: the disk may be read-only, /run gone, the service manager
dead. (design decision "Kill-power stands alone"; nut-driver-contract.md 6.6, 7; docs/kill-power.md)
"""

from usbhidups.killpower.result import PoweroffResult, PoweroffStatus
from usbhidups.killpower.several import Wanted, as_driver, cut_all

__all__ = ["PoweroffResult", "PoweroffStatus", "Wanted", "as_driver", "cut_all"]
