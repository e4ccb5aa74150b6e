// What showers are asked for in these tests, and what comes of it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "fastcaloq/error.hpp"
#include "fastcaloq/sampler.hpp"

namespace fastcaloq::test {

/// n particles from 300 MeV to 50 GeV at |eta| 0.22.
struct Particles {
  explicit Particles(std::size_t n_particles) : n(n_particles), particle(n, 0) {
    for (std::size_t i = 0; i < n; ++i) {
      const auto part = static_cast<float>(i) / static_cast<float>(n);
      energy.push_back(300.0F + 49700.0F * part * part);
      eta.push_back(i % 2 == 0 ? 0.22F : -0.22F);
      event.push_back(11 + i);
    }
  }
  Conditions conditions(const float* quantum = nullptr) const {
    return {n, energy.data(), eta.data(), quantum};
  }
  ShowerKeys keys() const { return {3, event.data(), particle.data()}; }

  std::size_t n;
  std::vector<float> energy, eta;
  std::vector<std::uint64_t> event;
  std::vector<std::uint32_t> particle;
};

struct Drawn {
  Drawn(const Sampler& sampler, const Particles& particles, const float* quantum = nullptr)
      : layers(particles.n * sampler.model()->n_layers()),
        voxels(particles.n * sampler.n_voxels()) {
    sampler.sample(particles.conditions(quantum), particles.keys(), OutOfRange::refuse,
                   layers.data(), voxels.empty() ? nullptr : voxels.data());
  }
  std::vector<float> layers, voxels;
};

inline Sampler sampler_with(std::shared_ptr<const Model> model,
                            std::shared_ptr<const Engine> engine, unsigned threads = 1) {
  SamplerOptions options;
  options.threads = threads;
  options.engine = std::move(engine);
  return Sampler(std::move(model), options);
}

/// The text of what is thrown.
template <class Exception = Error, class Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const Exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

inline bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos && text.find('\n') == std::string::npos;
}

}  // namespace fastcaloq::test
