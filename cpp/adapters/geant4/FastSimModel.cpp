#include "fastcaloq/geant4/FastSimModel.hpp"

#include <G4Event.hh>
#include <G4EventManager.hh>
#include <G4FastHit.hh>
#include <G4ParticleDefinition.hh>
#include <G4Region.hh>
#include <G4ThreeVector.hh>
#include <G4Track.hh>
#include <cmath>
#include <fastcaloq/error.hpp>
#include <utility>

namespace fastcaloq::geant4 {
namespace {

const ParametrizationBase& checked(const std::shared_ptr<const ParametrizationBase>& one,
                                   const FastSimOptions& options) {
  if (!one) throw InputError("a fast simulation model needs a parametrisation: give one");
  if (!options.handler && options.batch != 1) {
    throw InputError(
        "hits of a batch come when their tracks are gone, so no sensitive detector can take them: "
        "give a handler, or use a batch of 1");
  }
  return *one;
}

TruthState truth_of(const G4Track& track) {
  const G4ThreeVector& direction = track.GetMomentumDirection();
  const G4ThreeVector& position = track.GetPosition();
  TruthState truth;
  truth.pdgid = track.GetDefinition()->GetPDGEncoding();
  truth.Ekin = track.GetKineticEnergy();
  truth.mass = track.GetDefinition()->GetPDGMass();
  truth.eta = std::asinh(direction.z() / std::hypot(direction.x(), direction.y()));
  truth.phi = std::atan2(direction.y(), direction.x());
  truth.vertex = {position.x(), position.y(), position.z(), 0.0};
  return truth;
}

}  // namespace

FastSimModel::FastSimModel(const G4String& name, G4Region* envelope,
                           std::shared_ptr<const ParametrizationBase> parametrization,
                           std::vector<LayerSurface> layers, const FastSimOptions& options)
    : G4VFastSimulationModel(name, envelope),
      parametrization_(std::move(parametrization)),
      layers_(std::move(layers)),
      options_(options),
      collector_(
          checked(parametrization_, options_), options_.batch,
          [this](const SimulationState& state, const TruthState& truth, ReturnCode result) {
            options_.handler ? options_.handler(state, truth, result) : deposit(state, result);
          },
          options_.out_of_range) {}

G4bool FastSimModel::IsApplicable(const G4ParticleDefinition& particle) {
  return parametrization_->is_match_pdgid(particle.GetPDGEncoding());
}

bool FastSimModel::is_match(const G4FastTrack& track, TruthState& truth) {
  truth = truth_of(*track.GetPrimaryTrack());
  Extrapolate(truth, extrapolation_);
  const double eta = shower_eta(truth, extrapolation_);
  // Out of range, a particle is taken only by a policy that makes a shower of it.
  return std::isfinite(eta) && (parametrization_->is_match(truth.pdgid, truth.Ekin, eta) ||
                                (options_.out_of_range != OutOfRange::refuse &&
                                 parametrization_->is_match_pdgid(truth.pdgid)));
}

G4bool FastSimModel::ModelTrigger(const G4FastTrack& track) {
  TruthState truth;
  return is_match(track, truth);
}

void FastSimModel::DoIt(const G4FastTrack& track, G4FastStep& step) {
  TruthState truth;
  is_match(track, truth);  // for its positions
  const G4Event* event = G4EventManager::GetEventManager()->GetConstCurrentEvent();
  ShowerKey key;
  key.seed = options_.seed;
  key.event = event ? static_cast<std::uint64_t>(event->GetEventID()) : 0;
  key.particle = static_cast<std::uint32_t>(track.GetPrimaryTrack()->GetTrackID());
  step.KillPrimaryTrack();
  step.ProposePrimaryTrackPathLength(0.0);
  step.ProposeTotalEnergyDeposited(truth.Ekin);

  track_ = &track;
  collector_.add(truth, extrapolation_, key);
  if (options_.batch == 1) collector_.flush();
  track_ = nullptr;
}

void FastSimModel::Flush() {
  collector_.flush();
}

void FastSimModel::Extrapolate(const TruthState& truth, ExtrapolationState& extrapolation) const {
  extrapolate_straight(truth, layers_, extrapolation);
}

void FastSimModel::deposit(const SimulationState& state, ReturnCode result) {
  if (result != ReturnCode::Success || !track_) return;  // the counters know
  for (const Hit& hit : state.hits()) {
    const double r = hit.r, phi = hit.phi;
    const G4ThreeVector place(r * std::cos(phi), r * std::sin(phi), double{hit.z});
    hit_maker_.make(G4FastHit(place, double{hit.E}), *track_);
  }
}

}  // namespace fastcaloq::geant4
