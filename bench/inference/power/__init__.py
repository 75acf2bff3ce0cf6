"""The watts of a GPU and of its node under a load, from counted FLOP and bytes and a few constants a device family."""
