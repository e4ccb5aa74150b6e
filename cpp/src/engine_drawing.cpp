// The way of a chunk of showers through an engine that is not the native one.
#include <algorithm>

#include "batch_runner.hpp"

namespace fastcaloq::detail {

void BatchRunner::draw_with_engine(const Batch& batch, std::size_t start, std::size_t n,
                                   WorkerMemory& memory) const {
  const std::size_t n_layers = model->n_layers();
  ShowerChunk chunk;
  chunk.rows = rows_of(batch.conditions, start, n);
  chunk.layer_energy = batch.layer_energy + start * n_layers;
  if (makes_voxels_only(engine.get())) {
    for (std::size_t first = 0; first < n; first += Network::chunk_rows) {
      const std::size_t n_here = std::min(Network::chunk_rows, n - first);
      draw_native(batch, start + first, n_here, false, *memory.native);
    }
  }
  const auto latents_of = [&](LatentStream stream, std::size_t width, const float* given,
                              std::vector<float>& storage) {
    if (batch.keys == nullptr) return given + start * width;
    storage.resize(std::max(storage.size(), n * width));
    return latents(*batch.keys, start, n, stream, width, storage.data());
  };
  chunk.z = latents_of(LatentStream::energy, n_layers, batch.z, memory.z);
  if (batch.voxel_energy != nullptr) {
    chunk.voxel_energy = batch.voxel_energy + start * n_voxels;
    chunk.z_shape = latents_of(LatentStream::shape, n_voxels, batch.z_shape, memory.z_shape);
  }
  engine->run(chunk, *memory.engine);
}

}  // namespace fastcaloq::detail
