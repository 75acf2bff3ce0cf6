"""From a plan to what each unit should be in now: pure functions, without a clock, a socket or a device."""
