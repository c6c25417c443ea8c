"""What running drivers publish, seen through their state sockets: upsd need not run.

``sockets`` finds the drivers, ``snapshot`` asks one and judges its state, ``history`` remembers, ``card`` and
``live`` show. Nothing is ever set or commanded.
"""
