"""Smart plugs and meters over HTTP on the local network: Shelly of every generation, and Tasmota."""
