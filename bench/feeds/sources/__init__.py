"""The sources that `perwatt feed fetch` knows: what each is asked, and the figures that its answers hold."""
