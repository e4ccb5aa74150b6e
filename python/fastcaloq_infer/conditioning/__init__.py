"""From the incident particle to the features every coupling subnet sees."""
