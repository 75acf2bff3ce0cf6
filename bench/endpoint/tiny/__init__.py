"""A real inference server with models of random weights, for this machine's CPU: llama.cpp by the extra `serve`."""
