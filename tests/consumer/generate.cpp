// Draws showers from a model file: `generate MODEL.onnx ENERGY_MEV N` prints their layer energies.
#include <cstdint>
#include <cstdlib>
#include <fastcaloq/error.hpp>
#include <fastcaloq/sampler.hpp>
#include <iostream>
#include <numeric>
#include <vector>

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::cerr << "usage: generate MODEL.onnx ENERGY_MEV N\n";
    return 2;
  }
  const auto model = fastcaloq::Model::load(argv[1]);
  const fastcaloq::Sampler sampler(model);
  const auto n = static_cast<std::size_t>(std::atoi(argv[3]));
  const std::vector<float> energy(n, std::strtof(argv[2], nullptr)), eta(n, 0.2f);  // MeV
  std::vector<std::uint64_t> event(n);
  std::iota(event.begin(), event.end(), 0U);
  const std::vector<std::uint32_t> particle(n, 0);

  std::vector<float> layer_energy(n * model->n_layers());  // MeV
  sampler.sample({n, energy.data(), eta.data()}, {/*seed=*/1, event.data(), particle.data()},
                 fastcaloq::OutOfRange::refuse, layer_energy.data());

  std::cout.precision(9);
  for (std::size_t i = 0; i < layer_energy.size(); ++i) {
    std::cout << layer_energy[i] << ((i + 1) % model->n_layers() == 0 ? '\n' : ' ');
  }
} catch (const fastcaloq::Error& error) {
  std::cerr << "error: " << error.what() << '\n';
  return 1;
}
