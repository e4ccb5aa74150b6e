// generate MODEL.onnx ENERGY_MEV N: the layer energies (MeV) of N showers, and how many hits they have
#include <cstdlib>
#include <fastcaloq/error.hpp>
#include <fastcaloq/parametrization.hpp>
#include <iostream>

int main(int argc, char** argv) try {
  if (argc != 4) throw fastcaloq::InputError("usage: generate MODEL.onnx ENERGY_MEV N");
  const fastcaloq::ModelParametrization photons{
      fastcaloq::Sampler(fastcaloq::Model::load(argv[1]))};  // immutable, shared by threads
  fastcaloq::TruthState truth;
  truth.pdgid = photons.card().pdg_id;
  truth.Ekin = std::atof(argv[2]);  // MeV
  truth.eta = 0.2;
  fastcaloq::ExtrapolationState extrapolation;  // where it crosses the layers, mm
  extrapolation.set_calo_boundary(fastcaloq::Position::from_eta(1500.0, truth.phi, truth.eta));
  fastcaloq::SimulationState state;  // one for each thread, used again and again
  std::cout.precision(9);
  for (std::uint64_t event = 0; event < std::strtoull(argv[3], nullptr, 10); ++event) {
    state.set_key({/*seed=*/1, event, /*particle=*/0});
    if (photons.simulate(state, truth, extrapolation) != fastcaloq::ReturnCode::Success)
      throw fastcaloq::Error(state.reason());
    for (const float energy : state.layer_energy()) std::cout << energy << ' ';
    std::cout << state.hits().size() << '\n';
  }
} catch (const fastcaloq::Error& error) {
  std::cerr << "error: " << error.what() << '\n';
  return 1;
}
