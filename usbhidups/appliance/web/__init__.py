"""The status page: upsd's variables, the last day as plots, the last events; HTML, JSON and Prometheus text.

A process of its own that only reads: it asks upsd like any other client and holds no password. It never runs
inside the driver, and nothing that a browser sends changes anything.
"""
