"""Exceptions for the user's mistakes: one line that says what is wrong, why, and what to do."""


class FastCaloQError(Exception):
    """Base of every error raised on purpose; the command line prints it as one line."""


class InputError(FastCaloQError):
    """Data or arguments that cannot be used: shapes, NaN, energies out of range, files."""


class ConfigError(FastCaloQError):
    """A configuration that is misspelt, incomplete or contradictory."""


class ModelError(FastCaloQError):
    """A model file that is damaged, foreign, unknown or of a newer schema."""


class OutputError(FastCaloQError):
    """A result that cannot be written; nothing is left under the final name."""
