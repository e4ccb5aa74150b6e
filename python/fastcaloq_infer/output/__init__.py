"""Writing showers to ROOT and HDF5."""
