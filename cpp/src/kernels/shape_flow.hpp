// The shape flow, layer energies and latents to voxels: batches, and showers one at a time.
#pragma once

#include "shape_batch.hpp"
#include "shape_single.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

// Fewer showers than this are faster one at a time than side by side. Measured in us of processor
// time for one shower, one vector of them, and every vector more: 190, 1600, 1070 (AVX-512); 180,
// 1370, 620 (AVX2); 260, 1900, 810 (plain). Hence also how full a further vector has to be.
constexpr std::size_t kFewestShapes = 8;
constexpr std::size_t kWorthPadding = 4;

static void sample_shape_kernel(const ShapeView& shape, const float* incident_energy,
                                const float* condition, const float* features,
                                const float* layer_energy, const float* latents,
                                float* voxel_energy, std::size_t n, float* scratch) {
  for (std::size_t first = 0; first < n;) {
    const std::size_t left = n - first;
    const std::size_t over = left % kLanes;
    const std::size_t whole = over < kWorthPadding ? left - over : left;
    const std::size_t count = left < kFewestShapes ? 1 : whole < kChunk ? whole : kChunk;
    const float* c = condition + 2 * first;
    const float* q = shape.n_features == 0 ? features : features + shape.n_features * first;
    const float* layers = layer_energy + shape.n_layers * first;
    const float* z = shape.n_coordinates == 0 ? latents : latents + shape.n_coordinates * first;
    float* out = voxel_energy + shape.n_voxels * first;
    if (count == 1) {
      sample_shape_single(shape, incident_energy[first], c, q, layers, z, out, scratch);
    } else {
      sample_shape_batch(shape, incident_energy + first, c, q, layers, z, out, count, scratch);
    }
    first += count;
  }
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
