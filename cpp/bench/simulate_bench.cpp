// What `simulate` costs on top of the sampler: nanoseconds per call, one shower at a time, one thread.
// The calls take turns, so that the machine's moods hit all of them; the median of many rounds is
// printed.
//   simulate_bench MODEL.onnx [ENERGY_MEV]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "fastcaloq/error.hpp"
#include "fastcaloq/parametrization_chain.hpp"

namespace {

using namespace fastcaloq;

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

struct Entry {
  const char* name;
  std::function<void(std::uint64_t event)> call;
  std::vector<double> ns = {};
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) throw InputError("usage: simulate_bench MODEL.onnx [ENERGY_MEV]");
  const auto model = Model::load(argv[1]);
  const float energy[] = {argc > 2 ? std::strtof(argv[2], nullptr) : 65536.0F}, eta[] = {0.2F};
  const std::uint32_t particle[] = {0};
  const Sampler sampler(model, {1, "auto"});
  std::vector<float> layers(model->n_layers()), voxels(model->n_voxels());

  ModelParametrizationOptions without_hits;
  without_hits.make_hits = false;
  const ModelParametrization bare(Sampler(model, {1, "auto"}), without_hits);
  const auto whole = std::make_shared<ModelParametrization>(Sampler(model, {1, "auto"}));
  ParametrizationChain chain;
  chain.push_back(whole);

  TruthState truth;
  truth.pdgid = model->card().pdg_id;
  truth.Ekin = double{energy[0]};
  truth.eta = double{eta[0]};
  ExtrapolationState extrapolation;
  extrapolation.set_calo_boundary(Position::from_eta(1500.0, 0.0, truth.eta));
  SimulationState state;
  std::size_t n_hits = 0;
  const auto simulate = [&](const ParametrizationBase& parametrization, std::uint64_t event) {
    state.set_key({1, event, 0});
    if (parametrization.simulate(state, truth, extrapolation) != ReturnCode::Success) {
      throw Error(state.reason());
    }
    n_hits = state.hits().size();
  };
  std::vector<Entry> entries = {
      {"sampler",
       [&](std::uint64_t event) {
         sampler.sample({1, energy, eta}, {1, &event, particle}, OutOfRange::refuse, layers.data(),
                        voxels.empty() ? nullptr : voxels.data());
       }},
      {"simulate, no hits", [&](std::uint64_t event) { simulate(bare, event); }},
      {"simulate", [&](std::uint64_t event) { simulate(*whole, event); }},
      {"chain", [&](std::uint64_t event) { simulate(chain, event); }}};

  using clock = std::chrono::steady_clock;
  constexpr std::uint64_t calls = 20;
  const auto start = clock::now();
  for (std::uint64_t round = 0; round < 20 || clock::now() - start < std::chrono::seconds(2);
       ++round) {
    for (Entry& entry : entries) {
      const auto from = clock::now();
      for (std::uint64_t i = 0; i < calls; ++i) entry.call(calls * (round % 50) + i);
      entry.ns.push_back(std::chrono::duration<double, std::nano>(clock::now() - from).count() /
                         static_cast<double>(calls));
    }
  }
  const double floor = median(entries.front().ns);
  std::printf("%zu voxels, %g MeV, %zu hits in the last shower\n", model->n_voxels(), truth.Ekin,
              n_hits);
  for (const Entry& entry : entries) {
    std::printf("%-18s %9.0f ns  +%.0f\n", entry.name, median(entry.ns), median(entry.ns) - floor);
  }
} catch (const fastcaloq::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
