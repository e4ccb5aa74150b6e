/// \file
/// Strict views of NumPy arrays: right type, right shape, C-contiguous, or InputError.
#pragma once

#include <pybind11/numpy.h>

#include <cstdint>

namespace fastcaloq::bindings {

using Array = pybind11::array;

/// Data of a C-contiguous (n) or, with n_columns > 0, (n, n_columns) array. Throws InputError.
const float* float_rows(const Array& array, const char* name, pybind11::ssize_t n,
                        pybind11::ssize_t n_columns = 0);
const std::uint64_t* event_rows(const Array& array, pybind11::ssize_t n);
const std::uint32_t* particle_rows(const Array& array, pybind11::ssize_t n);

/// Length of a one-dimensional array. Throws InputError for any other.
pybind11::ssize_t length(const Array& array, const char* name);

}  // namespace fastcaloq::bindings
