"""Kind ``subnet``: circuits inside the networks that set the coupling blocks."""
