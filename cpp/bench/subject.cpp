#include "subject.hpp"

#include <cmath>
#include <utility>

#include "floors.hpp"
#include "network.hpp"

namespace fastcaloq::bench {
namespace {

constexpr std::size_t n_turns = 64;

/// Place of particle i in an interval, evenly over it however many there are.
double place(std::size_t i, double step) {
  return std::fmod(static_cast<double>(i + 1) * step, 1.0);
}

}  // namespace

Subject::Subject(std::shared_ptr<const Model> shared, const std::string& set, std::size_t most)
    : model(std::move(shared)), instruction_set(set), most_(most) {
  const std::size_t n = most + n_turns;
  const Interval energy = model->card().validity.incident_energy, eta = model->card().validity.eta;
  for (std::size_t i = 0; i < n; ++i) {
    constexpr double golden = 0.618033988749895;  // and the root of 2, less 1
    const double log_ratio = std::log(energy.high / energy.low) * place(i, golden);
    incident_energy_.push_back(static_cast<float>(energy.low * std::exp(0.999 * log_ratio)));
    const double part = 0.999 * place(i, 0.414213562373095);
    eta_.push_back(static_cast<float>(eta.low + (eta.high - eta.low) * part));
    event_.push_back(i);
  }
  particle_.resize(n);
  layer_energy_.resize(most * model->n_layers());
  voxel_energy_.resize(most * model->n_voxels());
  energy_weights_.resize(model->network().flow().bytes() / sizeof(float));
}

SamplerOptions Subject::options(unsigned threads) const {
  SamplerOptions options;
  options.threads = threads;
  options.instruction_set = instruction_set;
  return options;
}

void Subject::draw(const Sampler& sampler, std::size_t n, bool voxels) {
  const std::size_t first = turn_++ % n_turns;
  sampler.sample({n, incident_energy_.data() + first, eta_.data() + first},
                 {1, event_.data() + first, particle_.data() + first}, OutOfRange::refuse,
                 layer_energy_.data(), voxels ? voxel_energy_.data() : nullptr);
}

void Subject::read_weights(bool voxels) const {
  std::uint32_t sum = read_all(energy_weights_.data(), energy_weights_.size() * sizeof(float));
  if (voxels) {
    const kernels::PackedShape& shape = *model->network().shape();
    sum += read_all(shape.view().weights, shape.bytes());
  }
  volatile std::uint32_t kept = sum;
  static_cast<void>(kept);
}

std::size_t Subject::weight_bytes(bool voxels) const {
  const detail::Network& network = model->network();
  return network.flow().bytes() + (voxels ? network.shape()->bytes() : 0);
}

std::size_t Subject::multiply_adds(bool voxels) const {
  const detail::Network& network = model->network();
  return network.flow().multiply_adds() + (voxels ? network.shape()->multiply_adds() : 0);
}

}  // namespace fastcaloq::bench
