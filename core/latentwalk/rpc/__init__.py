"""The doorway of the services: errors, interceptors, settings, logs, and the life of a server from bind to drain."""
