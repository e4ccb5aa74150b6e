"""Kind ``statevector``: invertible blocks through the whole state of a few qubits."""
