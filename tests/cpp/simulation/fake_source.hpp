// Showers without a model: whole ones, and what a model should never give.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "fastcaloq/error.hpp"
#include "fastcaloq/parametrization.hpp"
#include "simulation/shower_source.hpp"

namespace fastcaloq::test {

/// A barrel: layer 1 has 3 rings and 4 sectors, layer 2 two rings, layer 12 no voxels. Valid from 100 to
/// 10,000 MeV and |eta| 0.2 to 0.8, extrapolation from 10 to 100,000 MeV and to 1.
inline ModelCard fake_card(int pdg_id = 22) {
  ModelCard card;
  card.pdg_id = pdg_id;
  card.binning.layers = {{1, {0, 5, 10, 20}, 4}, {2, {0, 10, 40}, 1}, {12, {}, 1}};
  card.validity = {{100, 10000}, {0.2, 0.8}};
  card.extrapolation = {{10, 100000}, {0.0, 1.0}};
  return card;
}

/// Voxels of about equal energy from the latents of the key; layer 12 takes a tenth of it all.
class FakeSource : public detail::ShowerSource {
 public:
  explicit FakeSource(ModelCard card = fake_card()) : card_(std::move(card)) {}

  const ModelCard& card() const noexcept override { return card_; }
  std::size_t n_voxels() const noexcept override { return card_.binning.n_voxels(); }

  void sample(const Conditions& conditions, const ShowerKeys& keys, float* layer_energy,
              float* voxel_energy) const override {
    ++calls;
    const std::size_t n_layers = card_.binning.layers.size(), width = n_voxels();
    std::vector<float> z(conditions.n * width);
    latents(keys, conditions.n, width, LatentStream::shape, z.data());
    for (std::size_t row = 0; row < conditions.n; ++row) {
      const float scale = conditions.incident_energy[row] / static_cast<float>(width);
      std::size_t v = 0;
      for (std::size_t l = 0; l < n_layers; ++l) {
        float& layer = layer_energy[row * n_layers + l];
        const std::size_t n = card_.binning.layers[l].n_voxels();
        layer = n == 0 ? 0.1F * conditions.incident_energy[row] : 0.0F;
        for (std::size_t i = 0; i < n; ++i, ++v) {
          const float energy = scale * std::max(0.0F, 1.0F + z[row * width + v]);
          layer += energy;
          if (voxel_energy != nullptr) voxel_energy[row * width + v] = energy;
        }
      }
      if (fault) fault(keys, row, layer_energy + row * n_layers, voxel_energy);
    }
  }

  /// Called for each row; may throw or spoil the energies.
  std::function<void(const ShowerKeys&, std::size_t row, float* layer, float* voxels)> fault;
  mutable std::atomic<int> calls{0};

 private:
  ModelCard card_;
};

struct Fake {
  explicit Fake(const ModelParametrizationOptions& options = {},
                const ModelCard& card = fake_card())
      : source(new FakeSource(card)),
        parametrization(std::unique_ptr<const detail::ShowerSource>(source), options) {}
  FakeSource* source;  // the parametrisation's
  ModelParametrization parametrization;
};

/// A straight photon through a barrel at the given eta.
struct Particle {
  explicit Particle(double Ekin = 1000.0, double eta = 0.5, int pdgid = 22, double phi = 1.0) {
    truth = {pdgid, Ekin, eta, phi};
    extrapolate_straight(truth,
                         {{1, Surface::cylinder, 1500, 1600},
                          {2, Surface::cylinder, 1600, 1900},
                          {12, Surface::cylinder, 2300, 3800}},
                         extrapolation);
  }
  TruthState truth;
  ExtrapolationState extrapolation;
};

/// All that a shower is, to compare bit for bit.
struct Shower {
  Shower() = default;
  explicit Shower(const SimulationState& state)
      : layer_energy(state.layer_energy()), voxel_energy(state.voxel_energy()) {
    for (const Hit& hit : state.hits()) {
      hits.insert(hits.end(),
                  {static_cast<float>(hit.layer), hit.eta, hit.phi, hit.r, hit.z, hit.E});
    }
  }
  bool operator==(const Shower& other) const {
    return layer_energy == other.layer_energy && voxel_energy == other.voxel_energy &&
           hits == other.hits;
  }
  bool operator!=(const Shower& other) const { return !(*this == other); }
  std::vector<float> layer_energy, voxel_energy, hits;
};

}  // namespace fastcaloq::test
