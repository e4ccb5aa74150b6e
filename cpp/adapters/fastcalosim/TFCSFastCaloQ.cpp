#include "fastcaloq/fastcalosim/TFCSFastCaloQ.hpp"

#include <CLHEP/Random/RandomEngine.h>
#include <FastCaloSim/Core/TFCSExtrapolationState.h>
#include <FastCaloSim/Core/TFCSSimulationState.h>
#include <FastCaloSim/Core/TFCSTruthState.h>
#include <FastCaloSim/Geometry/CaloGeo.h>
#include <FastCaloSim/Geometry/Cell.h>

#include <cmath>
#include <fastcaloq/error.hpp>
#include <stdexcept>
#include <utility>

namespace fastcaloq::fastcalosim {
namespace {

using State = ::TFCSExtrapolationState;

void copy(const State& from, int layer, SubPos subpos, ExtrapolationState& to) {
  const int place = static_cast<int>(subpos);  // the same values as theirs
  try {
    if (!from.OK(layer, place)) return;
    fastcaloq::Position position;
    position.eta = from.eta(layer, place);
    position.phi = from.phi(layer, place);
    position.r = from.r(layer, place);
    position.z = from.z(layer, place);
    position.OK = std::isfinite(position.eta) && std::isfinite(position.phi) && position.r > 0.0 &&
                  std::isfinite(position.r) && std::isfinite(position.z);
    to.set(layer, subpos, position);
  } catch (const std::out_of_range&) {  // theirs, for a layer they know nothing of
  }
}

}  // namespace

TFCSFastCaloQ::TFCSFastCaloQ(const char* name,
                             std::shared_ptr<const ParametrizationBase> parametrization,
                             const std::set<int>& pdgid, std::uint64_t seed, OutOfRange policy)
    : ::TFCSParametrization(name, name),
      parametrization_(std::move(parametrization)),
      seed_(seed),
      policy_(policy) {
  if (!parametrization_) throw InputError("FastCaloSim needs a parametrisation of ours: give one");
  set_pdgid(pdgid);
  set_Ekin_min(parametrization_->Ekin_min());
  set_Ekin_max(parametrization_->Ekin_max());
  set_eta_min(-parametrization_->eta_max());
  set_eta_max(parametrization_->eta_max());
}

bool TFCSFastCaloQ::is_match_eta(float eta) const {
  return parametrization_->is_match_eta(double{eta});  // both signs
}

FCSReturnCode TFCSFastCaloQ::simulate(TFCSSimulationState& simulstate, const TFCSTruthState* truth,
                                      const TFCSExtrapolationState* extrapol) const {
  thread_local SimulationState state;
  thread_local ExtrapolationState extrapolation;
  CLHEP::HepRandomEngine* engine = simulstate.randomEngine();
  if (!engine || !truth || !extrapol) {
    FCS_MSG_ERROR("no random engine, truth or extrapolation was given");
    return FCSFatal;
  }
  TruthState particle;
  particle.pdgid = truth->pdgid();
  particle.Ekin = truth->Ekin();
  particle.mass = truth->M();
  particle.eta = truth->Eta();
  particle.phi = truth->Phi();
  extrapolation.clear();
  constexpr int n_samplings = 24;
  for (int layer = 0; layer < n_samplings; ++layer) {
    for (const SubPos subpos : {SubPos::MID, SubPos::ENT, SubPos::EXT}) {
      copy(*extrapol, layer, subpos, extrapolation);
    }
  }
  fastcaloq::Position boundary = fastcaloq::Position::from_cylindrical(
      extrapol->IDCaloBoundary_r(), extrapol->IDCaloBoundary_phi(), extrapol->IDCaloBoundary_z());
  boundary.eta = extrapol->IDCaloBoundary_eta();
  extrapolation.set_calo_boundary(boundary);

  ShowerKey key;
  key.seed = seed_;
  const auto word = [engine] {
    return static_cast<std::uint64_t>(static_cast<unsigned int>(*engine)) & 0xffffffffU;
  };
  const std::uint64_t high = word();
  key.event = high << 32 | word();
  state.set_key(key);
  state.set_out_of_range(policy_);
  const ReturnCode result = parametrization_->simulate(state, particle, extrapolation);
  if (result != ReturnCode::Success) FCS_MSG_WARNING(state.reason());
  if (result == ReturnCode::Fatal) return FCSFatal;
  // One more call: a greater number would not fit into their enumeration.
  if (result == ReturnCode::Retry) return static_cast<FCSReturnCode>(FCSRetry + 1);

  simulstate.set_E(state.E());
  for (const int layer : state.layers()) {
    simulstate.set_E(layer, state.E(layer));
    simulstate.set_Efrac(layer, state.Efrac(layer));
  }
  if (geo_) deposit(state, simulstate);
  return FCSSuccess;
}

void TFCSFastCaloQ::deposit(const SimulationState& state, TFCSSimulationState& simulstate) const {
  constexpr double outside = 0.005;  // FastCaloSim's limit: farther from a cell, a hit is dropped
  const auto place = [](const Hit& hit) {
    ::Position position{};
    position.m_x = double{hit.r} * std::cos(double{hit.phi});
    position.m_y = double{hit.r} * std::sin(double{hit.phi});
    position.m_z = double{hit.z};
    position.m_eta = double{hit.eta};
    position.m_phi = double{hit.phi};
    position.m_r = double{hit.r};
    return position;
  };
  const auto in_cell = [&](const Hit& hit, const auto& cell) {
    return cell.boundary_proximity(place(hit)) < outside;
  };
  const auto& hits = state.hits();
  for (std::size_t first = 0; first < hits.size();) {  // hits come layer by layer
    const int layer = hits[first].layer;
    std::size_t last = first;
    double kept = 0.0;
    for (; last < hits.size() && hits[last].layer == layer; ++last) {
      const auto& cell = geo_->get_cell(static_cast<unsigned int>(layer), place(hits[last]));
      if (in_cell(hits[last], cell)) kept += double{hits[last].E};
    }
    const double scale = kept > 0.0 ? state.E(layer) / kept : 0.0;
    for (; first < last; ++first) {
      const auto& cell = geo_->get_cell(static_cast<unsigned int>(layer), place(hits[first]));
      if (!in_cell(hits[first], cell)) continue;
      simulstate.deposit(cell.id(), static_cast<float>(scale * double{hits[first].E}));
    }
  }
}

}  // namespace fastcaloq::fastcalosim
