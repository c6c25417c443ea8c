"""Is everything where it should be: each check is one sentence, and what mends it where it is wrong.

``machine`` holds the facts that are asked of this host, ``checks`` judges them. Nothing is changed, no
device is opened.
"""
