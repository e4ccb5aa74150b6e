"""Kind ``swap_test``: a quantum invertible network with inverse state preparation."""
