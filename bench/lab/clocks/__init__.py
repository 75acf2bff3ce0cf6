"""The clocks of the hosts: how far each is off, within which bound, and how two of them lie to each other."""
