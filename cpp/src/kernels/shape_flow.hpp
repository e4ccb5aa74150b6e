// The shape flow, layer energies and latents to voxels.
#pragma once

#include "coupling.hpp"
#include "shape_views.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

static void sample_shape_kernel(const ShapeView& shape, const float*, const float*, const float*,
                                const float*, const float*, float* voxel_energy, std::size_t n,
                                float*) {
  for (std::size_t i = 0; i < n * shape.n_voxels; ++i) voxel_energy[i] = 0.0f;
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
