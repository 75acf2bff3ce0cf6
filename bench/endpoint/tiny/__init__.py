"""A real inference server with a model of random weights, for this machine's CPU: llama.cpp by the extra `serve`."""
