"""Settings compared with each other: the order of their visits, their means over the visits, and the best of them."""
