"""TCP, HTTP and logins of devices on the local network: smart plugs, miners, inference servers."""
