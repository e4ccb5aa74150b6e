"""Studies: many trainings compared fairly, on the same showers and with honest statistics.

Loads without torch; the modules are imported when first asked for.
"""
