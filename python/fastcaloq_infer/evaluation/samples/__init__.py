"""Who is compared: showers read from files, checked, and made comparable."""
