"""What goes wrong in the field, each on a simulated device in virtual time.

``rig`` joins a simulated UPS, the driver's device loop and its service on one clock that only the rig moves;
it keeps a ``history`` of what was so and of what was published. ``invariants`` judge any history. Each scenario
names its row of the failure catalogue (``catalogue``); ``table`` writes docs/failure-catalogue.md from them.
"""
