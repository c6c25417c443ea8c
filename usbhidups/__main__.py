"""``python -m usbhidups``: the command line, and nothing else."""

import sys

from usbhidups.cli.main import main

sys.exit(main())
