// boundary MODEL.onnx: exceptions caught by their types, and classes derived from the library's, as a
// program meets them that was compiled apart from it.
#include <cmath>
#include <fastcaloq/cell_map.hpp>
#include <fastcaloq/error.hpp>
#include <fastcaloq/parametrization_chain.hpp>
#include <fastcaloq/version.hpp>
#include <iostream>
#include <stdexcept>
#include <string>
#include <typeinfo>

namespace {

int failures = 0;

void check(bool ok, const std::string& what) {
  std::cout << (ok ? "ok: " : "FAILED: ") << what << '\n';
  if (!ok) ++failures;
}

template <typename Exception, typename Call>
bool throws(const Call& call) {
  try {
    call();
  } catch (const Exception&) {
    return true;
  } catch (...) {
  }
  return false;
}

struct OwnError : fastcaloq::ServiceError {
  using fastcaloq::ServiceError::ServiceError;
};

struct OwnConditioner : fastcaloq::Conditioner {
  explicit OwnConditioner(std::size_t n) : n_(n) {}
  std::size_t n_features() const noexcept override { return n_; }
  void features(const float*, const float*, std::size_t, float*) const override {
    throw OwnError("no features today");
  }

 private:
  std::size_t n_;
};

// Half of the energy in one layer, and a hit.
struct OwnParametrization : fastcaloq::ParametrizationBase {
  using ParametrizationBase::simulate;
  fastcaloq::ReturnCode simulate(fastcaloq::SimulationState& state,
                                 const fastcaloq::TruthState& truth,
                                 const fastcaloq::ExtrapolationState&) const noexcept override {
    state.clear();
    const int layer = 2;
    const auto energy = static_cast<float>(truth.Ekin / 2);
    state.set_layer_energies(&layer, &energy, 1);
    state.mutable_hits().push_back({layer, 0.1F, 0.2F, 1600.0F, 160.0F, energy});
    return state.succeed();
  }
  bool is_match_pdgid(int pdgid) const noexcept override { return pdgid == 11; }
};

struct OwnCells : fastcaloq::CellMap {
  std::uint64_t cell(const fastcaloq::Hit& hit) const noexcept override {
    return static_cast<std::uint64_t>(hit.layer);
  }
};

void test_exceptions(const std::shared_ptr<const fastcaloq::Model>& model) {
  const auto missing = [] { fastcaloq::Model::load("/no/such/model.onnx"); };
  check(throws<fastcaloq::ModelError>(missing), "ModelError by its own type");
  check(throws<fastcaloq::Error>(missing), "ModelError as Error");
  check(throws<std::runtime_error>(missing), "ModelError as std::runtime_error");
  check(!throws<fastcaloq::InputError>(missing), "ModelError is no InputError");

  fastcaloq::SamplerOptions options;
  options.threads = 2;
  options.conditioner = std::make_shared<OwnConditioner>(model->n_features());
  const fastcaloq::Sampler sampler(model, options);
  const auto draw = [&] {
    const float energy = 65536.0F, eta = 0.2F;
    const std::uint64_t event = 0;
    const std::uint32_t particle = 0;
    std::vector<float> layer_energy(model->n_layers());
    sampler.sample({1, &energy, &eta}, {1, &event, &particle}, fastcaloq::OutOfRange::refuse,
                   layer_energy.data());
  };
  check(throws<OwnError>(draw), "an exception of one's own, through the library and back");
}

void test_classes(const std::shared_ptr<const fastcaloq::Model>& model) {
  fastcaloq::ParametrizationChain chain;
  chain.push_back(std::make_shared<fastcaloq::ModelParametrization>(fastcaloq::Sampler(model)));
  chain.push_back(std::make_shared<OwnParametrization>());
  fastcaloq::TruthState truth;
  truth.pdgid = 11;
  truth.Ekin = 1000.0;
  fastcaloq::SimulationState state;
  const fastcaloq::ExtrapolationState extrapolation;
  const auto result = chain.simulate(state, truth, extrapolation);
  check(result == fastcaloq::ReturnCode::Success && std::abs(state.E(2) - 500.0) < 1e-3,
        "a parametrisation of one's own in a chain");
  fastcaloq::CellEnergies cells;
  const double lost = fastcaloq::deposit(state.hits(), OwnCells(), cells);
  check(lost == 0.0 && cells.size() == 1, "a map of cells of one's own");

  const fastcaloq::ParametrizationBase& first = chain[0];
  check(dynamic_cast<const fastcaloq::ModelParametrization*>(&first) != nullptr,
        "a class of the library's behind its base");
  check(typeid(chain[1]) == typeid(OwnParametrization), "the type of an object");
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) throw fastcaloq::InputError("usage: boundary MODEL.onnx");
  const auto model = fastcaloq::Model::load(argv[1]);
  test_exceptions(model);
  test_classes(model);
  std::cout << fastcaloq::version() << '\n';
  return failures == 0 ? 0 : 1;
} catch (const fastcaloq::Error& error) {
  std::cerr << "error: " << error.what() << '\n';
  return 1;
}
