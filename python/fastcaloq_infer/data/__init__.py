"""Reading, checking and describing shower files."""
