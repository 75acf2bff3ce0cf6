"""Hardware profiles: the rated figures of devices with the source of each, and the code that reads and checks them."""
