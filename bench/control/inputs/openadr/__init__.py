"""OpenADR 3: the events of a virtual top node (VTN), as targets of the site."""
