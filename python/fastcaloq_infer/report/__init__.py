"""Pictures and pages made of the figures."""
