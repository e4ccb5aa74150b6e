/// \file
/// NumPy arrays that a sampler fills.
#pragma once

#include <pybind11/numpy.h>

#include <cstddef>
#include <fastcaloq/sampler.hpp>
#include <optional>

namespace fastcaloq::bindings {

using FloatArray = pybind11::array_t<float, pybind11::array::c_style>;

/// Arrays for what a sampler gives.
struct Output {
  Output(const Sampler& sampler, std::size_t n, bool with_voxels)
      : layer_energy(rows(n, sampler.model()->n_layers())), layers(layer_energy.mutable_data()) {
    if (!with_voxels) return;
    voxel_energy = rows(n, sampler.model()->n_voxels());
    voxels = voxel_energy->mutable_data();
  }

  pybind11::tuple result(std::size_t n_outside) const {
    return pybind11::make_tuple(layer_energy, voxel_energy, n_outside);
  }

  static FloatArray rows(std::size_t n, std::size_t width) {
    return FloatArray({static_cast<pybind11::ssize_t>(n), static_cast<pybind11::ssize_t>(width)});
  }

  FloatArray layer_energy;
  std::optional<FloatArray> voxel_energy;
  float* layers = nullptr;
  float* voxels = nullptr;
};

}  // namespace fastcaloq::bindings
