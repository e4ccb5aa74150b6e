#include "parity.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "fastcaloq/error.hpp"
#include "text.hpp"

namespace fastcaloq::detail {
namespace {

/// Energies below this [MeV] are those that float32 may round to nothing.
bool is_empty(double energy) {
  return energy < 1e-30;
}

void compare(const std::string& engine, const ParityCard& parity, const char* what,
             const std::vector<float>& wanted, const std::vector<float>& energies,
             std::size_t width, bool exact_zeros) {
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const double want = wanted[i];
    const double got = energies[i];
    const double tolerance =
        parity.absolute_tolerance + parity.relative_tolerance * std::fabs(want);
    // Written so that NaN fails. Empty voxels must be empty, whatever the tolerance.
    if (!(std::fabs(got - want) <= tolerance) || (is_empty(got) != is_empty(want) && exact_zeros)) {
      throw ModelError("the engine (" + engine + ") gives " + pretty(got) +
                       " MeV where the model's parity vector " + std::to_string(i / width) +
                       " has " + pretty(want) + " MeV in " + what + " " +
                       std::to_string(i % width) +
                       ", so its showers cannot be trusted: export the model again, and report "
                       "this if it stays");
    }
  }
}

/// Features as the network takes them: those of the energies alone are followed by zeros.
std::vector<float> padded(const std::vector<float>& features, std::size_t n, std::size_t width) {
  std::vector<float> rows(n * width);
  const std::size_t given = features.size() / n;
  for (std::size_t row = 0; row < n; ++row) {
    std::copy_n(features.data() + row * given, given, rows.data() + row * width);
  }
  return rows;
}

/// Of the layer energies, or with n_voxels > 0 of whole showers.
void verify(const DrawChunk& draw, const std::string& engine, const ParityCard& parity,
            std::size_t n_layers, std::size_t n_features, std::size_t n_voxels) {
  const std::size_t n_rows = parity.incident_energy.size();
  const std::vector<float> quantum =
      parity.quantum.empty() ? parity.quantum : padded(parity.quantum, n_rows, n_features);
  std::vector<float> layers(n_rows * n_layers);
  std::vector<float> voxels(n_rows * n_voxels);
  for (std::size_t start = 0; start < n_rows; start += Network::voxel_rows) {
    Chunk chunk;
    chunk.rows = {std::min(Network::voxel_rows, n_rows - start),
                  parity.incident_energy.data() + start, parity.eta.data() + start,
                  quantum.empty() ? nullptr : quantum.data() + start * n_features};
    chunk.z = parity.z_energy.data() + start * n_layers;
    chunk.layer_energy = layers.data() + start * n_layers;
    if (n_voxels > 0) {
      chunk.z_shape = parity.z_shape.data() + start * n_voxels;
      chunk.z_shape_stride = n_voxels;
      chunk.voxel_energy = voxels.data() + start * n_voxels;
    }
    draw(chunk);
  }
  compare(engine, parity, "layer", parity.layer_energy, layers, n_layers, false);
  compare(engine, parity, "voxel", parity.voxel_energy, voxels, n_voxels, true);
}

}  // namespace

void verify_parity(const DrawChunk& draw, const std::string& engine, const ModelCard& card) {
  const std::size_t n_layers = card.binning.layers.size();
  auto n_features = static_cast<std::size_t>(card.conditioning.features);
  if (card.shape) n_features += static_cast<std::size_t>(card.shape->conditioning.features);
  verify(draw, engine, card.parity, n_layers, n_features, 0);
  if (!card.shape) return;
  verify(draw, engine, card.shape->parity, n_layers, n_features, card.binning.n_voxels());
}

void verify_parity(const Network& network, const kernels::KernelTable& kernels,
                   const ModelCard& card) {
  ChunkWorkspace workspace(network);
  verify_parity([&](const Chunk& chunk) { network.run(kernels, chunk, workspace); }, kernels.name,
                card);
}

}  // namespace fastcaloq::detail
