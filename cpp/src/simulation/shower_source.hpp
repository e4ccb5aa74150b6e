/// \file
/// Where a ModelParametrization gets its showers: the seam at which tests put in what a model does not
/// do.
#pragma once

#include <cstddef>
#include <utility>

#include "fastcaloq/sampler.hpp"

namespace fastcaloq::detail {

class ShowerSource {
 public:
  ShowerSource() = default;
  ShowerSource(const ShowerSource&) = delete;
  ShowerSource& operator=(const ShowerSource&) = delete;
  virtual ~ShowerSource();

  virtual const ModelCard& card() const noexcept = 0;
  virtual std::size_t n_voxels() const noexcept = 0;
  /// Layers and voxels of the showers; those of the card, unless something else makes the voxels.
  virtual const BinningCard& binning() const noexcept { return card().binning; }
  /// As Sampler::sample, without limits but those of the model's extrapolation.
  virtual void sample(const Conditions& conditions, const ShowerKeys& keys, float* layer_energy,
                      float* voxel_energy) const = 0;
};

class SamplerSource final : public ShowerSource {
 public:
  explicit SamplerSource(Sampler sampler) : sampler_(std::move(sampler)) {}
  ~SamplerSource() override;

  const ModelCard& card() const noexcept override { return sampler_.model()->card(); }
  std::size_t n_voxels() const noexcept override { return sampler_.n_voxels(); }
  const BinningCard& binning() const noexcept override { return sampler_.binning(); }
  void sample(const Conditions& conditions, const ShowerKeys& keys, float* layer_energy,
              float* voxel_energy) const override;

 private:
  Sampler sampler_;
};

}  // namespace fastcaloq::detail
