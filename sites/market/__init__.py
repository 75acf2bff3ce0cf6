"""Revenue of hashes and tokens: the Bitcoin network, mining yield, published token rates and device rates."""
