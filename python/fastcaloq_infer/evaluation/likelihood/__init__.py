"""The likelihood of held-out showers under a flow, and where it is lost."""
