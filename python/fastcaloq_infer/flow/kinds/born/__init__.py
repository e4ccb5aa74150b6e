"""Kind ``born``: the reversible generative circuit on discretised coordinates."""
