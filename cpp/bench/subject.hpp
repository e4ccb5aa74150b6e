/// \file
/// What is measured: a model, particles over its range of validity, and room for their showers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fastcaloq/sampler.hpp"
#include "kernels/aligned.hpp"
#include "kernels/engine.hpp"

namespace fastcaloq::bench {

class Subject {
 public:
  /// \param most showers that are ever drawn at once
  Subject(std::shared_ptr<const Model> shared, const std::string& instruction_set,
          std::size_t most);

  SamplerOptions options(unsigned threads) const;

  /// Draws `n` showers of particles that differ from call to call.
  void draw(const Sampler& sampler, std::size_t n, bool voxels);

  /// Reads every packed weight once.
  void read_weights(bool voxels) const;

  /// Bytes of the packed weights, and multiply-adds of a shower in the dense layers.
  std::size_t weight_bytes(bool voxels) const;
  std::size_t multiply_adds(bool voxels) const;

  std::size_t most() const noexcept { return most_; }

  const std::shared_ptr<const Model> model;
  const std::string instruction_set;

 private:
  std::size_t turn_ = 0;
  std::size_t most_;
  std::vector<float> incident_energy_, eta_;
  std::vector<std::uint64_t> event_;
  std::vector<std::uint32_t> particle_;
  std::vector<float> layer_energy_, voxel_energy_;
  std::vector<float> energy_weights_;  // as many as the layer energies' flow has
};

}  // namespace fastcaloq::bench
