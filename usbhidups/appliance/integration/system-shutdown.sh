#!/bin/sh
# systemd's late hook (system-shutdown/usbhidups): everything is stopped and read-only, argument is the action.
# All conditions are the command's; a failure never holds up the halt.
PYTHONDONTWRITEBYTECODE=1 /usr/bin/usbhidups appliance killpower --late "${1:-poweroff}"
exit 0
