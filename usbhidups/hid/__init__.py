"""What do the bytes say? Pure: bytes in, fields and numbers out.

``items`` cuts a report descriptor into items, ``descriptor`` turns items into fields (``field``) and reports,
``report`` takes a field's bits out of a report and puts them back, ``units`` turns logical numbers into
physical ones, ``usages`` gives numbers their names. Nothing here knows what a UPS is.
"""
