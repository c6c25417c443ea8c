"""The command line: parse arguments, call one program, turn errors into one line and an exit status."""
