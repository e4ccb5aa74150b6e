// third_party_shape ENERGIES.onnx SHAPE.onnx BINNING.xml ENERGY_MEV N: showers whose layer energies (MeV)
// are drawn by our flow and whose voxels are made by anybody's ONNX graph
#include <cstdlib>
#include <fastcaloq/binning.hpp>
#include <fastcaloq/error.hpp>
#include <fastcaloq/onnxruntime_engine.hpp>
#include <fastcaloq/parametrization.hpp>
#include <iostream>

int main(int argc, char** argv) try {
  if (argc != 6) {
    throw fastcaloq::InputError(
        "usage: third_party_shape ENERGIES.onnx SHAPE.onnx BINNING.xml ENERGY_MEV N");
  }
  const auto model = fastcaloq::Model::load(argv[1]);
  fastcaloq::ShapeGraph shape;  // names of inputs and outputs can be set here, too
  shape.path = argv[2];
  shape.binning = fastcaloq::read_binning(argv[3]);
  fastcaloq::SamplerOptions options;
  options.engine = fastcaloq::onnxruntime_shape_engine(model, shape);
  const fastcaloq::ModelParametrization photons{fastcaloq::Sampler(model, options)};
  fastcaloq::TruthState truth;
  truth.pdgid = photons.card().pdg_id;
  truth.Ekin = std::atof(argv[4]);  // MeV
  truth.eta = 0.2;
  fastcaloq::ExtrapolationState extrapolation;
  extrapolation.set_calo_boundary(fastcaloq::Position::from_eta(1500.0, truth.phi, truth.eta));
  fastcaloq::SimulationState state;
  std::cout.precision(9);
  for (std::uint64_t event = 0; event < std::strtoull(argv[5], nullptr, 10); ++event) {
    state.set_key({/*seed=*/1, event, /*particle=*/0});
    if (photons.simulate(state, truth, extrapolation) != fastcaloq::ReturnCode::Success)
      throw fastcaloq::Error(state.reason());
    double in_voxels = 0.0;
    for (const float energy : state.voxel_energy()) in_voxels += double{energy};
    for (const float energy : state.layer_energy()) std::cout << energy << ' ';
    std::cout << in_voxels << ' ' << state.hits().size() << '\n';
  }
} catch (const fastcaloq::Error& error) {
  std::cerr << "error: " << error.what() << '\n';
  return 1;
}
