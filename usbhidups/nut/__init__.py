"""How is NUT told? Pure: words of the state socket, the variable store, one client's talk, ups.conf."""
