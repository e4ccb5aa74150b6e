// Draws showers whose features come from a service, or from the model's table where it is away:
// `generate_served MODEL.onnx URL ENERGY_MEV N` prints their layer energies. A token and a file of
// certificates to trust are taken from TOKEN and CA_FILE in the environment.
#include <cstdint>
#include <cstdlib>
#include <fastcaloq/error.hpp>
#include <fastcaloq/sampler.hpp>
#include <fastcaloq/served_conditioner.hpp>
#include <iostream>
#include <numeric>
#include <vector>

int main(int argc, char** argv) try {
  if (argc != 5) {
    std::cerr << "usage: generate_served MODEL.onnx URL ENERGY_MEV N\n";
    return 2;
  }
  const auto model = fastcaloq::Model::load(argv[1]);
  fastcaloq::ServedOptions service;
  service.url = argv[2];
  if (const char* token = std::getenv("TOKEN")) service.token = token;
  if (const char* file = std::getenv("CA_FILE")) service.ca_file = file;
  service.fallback = true;
  const auto conditioner = std::make_shared<fastcaloq::ServedConditioner>(model, service);
  fastcaloq::SamplerOptions options;
  options.conditioner = conditioner;
  const fastcaloq::Sampler sampler(model, options);
  const auto n = static_cast<std::size_t>(std::atoi(argv[4]));
  const std::vector<float> energy(n, std::strtof(argv[3], nullptr)), eta(n, 0.2f);  // MeV
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
  std::cerr << conditioner->statistics().conditions_fallback << " conditions by the table\n";
} catch (const fastcaloq::Error& error) {
  std::cerr << "error: " << error.what() << '\n';
  return 1;
}
