"""Figures that put a site's yield in perspective: capital cost, market prices and volumes, the network, the halving."""
