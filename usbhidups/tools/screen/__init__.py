"""What the tools for people share: a terminal that is treated with care, bars, sparklines, words for status.

``rich`` is imported by ``console`` and by those who draw; programs that nobody looks at do not come here.
"""
