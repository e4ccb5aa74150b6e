#include "arrays.hpp"

#include <fastcaloq/error.hpp>
#include <string>

namespace py = pybind11;

namespace fastcaloq::bindings {
namespace {

template <typename T>
const T* rows(const Array& array, const char* name, const char* type, py::ssize_t n,
              py::ssize_t n_columns) {
  const bool shape = n_columns == 0
                         ? array.ndim() == 1 && array.shape(0) == n
                         : array.ndim() == 2 && array.shape(0) == n && array.shape(1) == n_columns;
  const bool contiguous = (array.flags() & py::array::c_style) != 0;
  if (!shape || !contiguous || !py::isinstance<py::array_t<T>>(array)) {
    std::string wanted = "(" + std::to_string(n) + ",";
    wanted += n_columns == 0 ? ")" : " " + std::to_string(n_columns) + ")";
    throw InputError(std::string(name) + " must be a C-contiguous " + type + " array of shape " +
                     wanted + ", its memory is read as it is: convert it first");
  }
  return static_cast<const T*>(array.data());
}

}  // namespace

py::ssize_t length(const Array& array, const char* name) {
  if (array.ndim() != 1) {
    throw InputError(std::string(name) + " has " + std::to_string(array.ndim()) +
                     " dimensions where one belongs, a value for each particle: reshape it");
  }
  return array.shape(0);
}

const float* float_rows(const Array& array, const char* name, py::ssize_t n,
                        py::ssize_t n_columns) {
  return rows<float>(array, name, "float32", n, n_columns);
}

const std::uint64_t* event_rows(const Array& array, py::ssize_t n) {
  return rows<std::uint64_t>(array, "event", "uint64", n, 0);
}

const std::uint32_t* particle_rows(const Array& array, py::ssize_t n) {
  return rows<std::uint32_t>(array, "particle", "uint32", n, 0);
}

}  // namespace fastcaloq::bindings
