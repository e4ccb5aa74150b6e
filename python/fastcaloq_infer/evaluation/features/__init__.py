"""What is looked at: quantities of a shower and their histograms' edges."""
