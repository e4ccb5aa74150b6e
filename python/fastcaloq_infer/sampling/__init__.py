"""Drawing showers from a model file."""
