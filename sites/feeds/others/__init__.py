"""Market files of Australia, frames of well-known libraries, carbon intensities, Bitcoin prices and GPU rents."""
