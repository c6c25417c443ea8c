"""What people run at a terminal: probe, doctor, status, the simulator's live view, and the screen they share.

Not the driver: it never imports anything from here.
"""
