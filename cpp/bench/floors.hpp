/// \file
/// Times that no engine can pass on this machine: to read the weights once, and to do the multiply-adds
/// as fast as the best matrix product there is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/engine.hpp"

namespace fastcaloq::bench {

/// Reads n bytes (a multiple of 256) from a cache line on, as fast as the memory gives them. Returns a
/// number that depends on all, so that no compiler leaves the reading out.
std::uint32_t read_all(const void* data, std::size_t n);

/// A product of matrices of some library, one thread.
struct Product {
  std::string library;
  std::string shape;  ///< rows x inner x columns
  double operations;  ///< floating-point operations of one call
  std::function<void()> call;
};

/// Products by our own kernels, and by whatever BLAS or oneDNN the dynamic linker finds: the usual names
/// and `more`. The libraries stay loaded.
/// \throws InputError a library of `more` cannot be loaded or has no product
std::vector<Product> products(const kernels::KernelTable& kernels,
                              const std::vector<std::string>& more);

}  // namespace fastcaloq::bench
