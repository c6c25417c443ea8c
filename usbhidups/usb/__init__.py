"""How are bytes fetched? One small transport per way, all behind one protocol (``transport``).

Nothing here knows what the bytes mean.
"""
