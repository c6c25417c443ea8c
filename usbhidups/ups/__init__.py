"""What does that mean for a UPS? Pure: readings, status, commands, what to read next.

Time is an argument. Device knowledge is data (``usbhidups/profiles``), never code here.
"""
