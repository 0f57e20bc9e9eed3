"""The command line of latentwalk, on top of the SDK."""
