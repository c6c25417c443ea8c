"""The appliance around the driver: variables in, NUT's files out; start and stop, notify, kill power.

``variables`` and ``settings`` say what was asked, ``files`` and ``overrides`` what NUT is told, ``generate``
writes it, ``services`` starts and stops NUT's programs, ``notify`` and ``killpower`` are run by them. Nothing
here decides on a shutdown or speaks for upsd: that stays NUT's.
"""
