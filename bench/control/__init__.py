"""Control of a site: observe its units, decide, and send what the gate lets pass."""
