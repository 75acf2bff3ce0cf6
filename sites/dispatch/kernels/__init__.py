"""The compiled code of the dispatch."""
