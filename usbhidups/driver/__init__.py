"""The driver as a process: one worker thread per UPS, one main loop that owns sockets and timers."""
