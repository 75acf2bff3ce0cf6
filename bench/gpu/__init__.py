"""Work on a whole GPU: the diagnosis of its software and the job that measures it."""
