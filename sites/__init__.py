"""The yield of a site: the value of a megawatt for mining and inference, from functions to a Site to its year."""
