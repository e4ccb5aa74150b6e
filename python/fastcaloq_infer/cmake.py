"""The C++ library that comes inside the package."""

from __future__ import annotations

from pathlib import Path

from fastcaloq_infer import _core
from fastcaloq_infer.errors import ConfigError


def cmake_dir() -> Path:
    """Return the folder of ``FastCaloQConfig.cmake``, for CMake's ``FastCaloQ_DIR``.

    A wheel carries the static library, its headers and their CMake package; so does an editable
    installation, beside its compiled module.

    Raises
    ------
    ConfigError
        The package was installed without them.
    """
    folder = Path(_core.__file__).resolve().parent / "cpp" / "lib" / "cmake" / "FastCaloQ"
    if not (folder / "FastCaloQConfig.cmake").is_file():
        raise ConfigError(
            f"{folder} has no FastCaloQConfig.cmake, so CMake cannot find the C++ library: install "
            "fastcaloq-infer again, with pip"
        )
    return folder
