"""The appliance around the driver: variables in, NUT's files out, notify, kill order, status page."""
