"""Exact bijections between showers in MeV and the coordinates a flow sees."""
