#include "simulation/shower_source.hpp"

namespace fastcaloq::detail {

ShowerSource::~ShowerSource() = default;
SamplerSource::~SamplerSource() = default;

void SamplerSource::sample(const Conditions& conditions, const ShowerKeys& keys,
                           float* layer_energy, float* voxel_energy) const {
  // The caller has applied the policy; what it lets through may be as far as extrapolation reaches.
  sampler_.sample(conditions, keys, OutOfRange::extrapolate, layer_energy, voxel_energy);
}

}  // namespace fastcaloq::detail
