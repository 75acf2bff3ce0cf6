"""The transports of meters that tables describe: one module each, with a TransportKind named KIND."""
