"""Result records: their schema, their folders on disk, and trends over many results."""
