/// \file
/// Showers of FastCaloQ as a fast simulation model of Geant4.
#pragma once

#include <G4FastSimHitMaker.hh>
#include <G4VFastSimulationModel.hh>
#include <cstdint>
#include <fastcaloq/collector.hpp>
#include <memory>
#include <vector>

class G4Region;

namespace fastcaloq::geant4 {

struct FastSimOptions {
  std::uint64_t seed = 1;
  /// Showers drawn together. 1: at once, in DoIt. More: when so many are waiting, and in Flush, which
  /// Geant4 calls when an event has no tracks left.
  std::size_t batch = 1;
  OutOfRange out_of_range = OutOfRange::refuse;
  /// Gets each shower. None: every hit goes to the G4VFastSimSensitiveDetector at its place, which needs
  /// the track and hence batch = 1.
  Collector::Handler handler = nullptr;
};

/// Takes particles over where they enter the envelope, and kills them. Energies in MeV and lengths in
/// mm, Geant4's own. One object for each worker thread; the parametrisation is shared.
///
/// Random numbers come from (seed, event id, track id), not from Geant4's engine: the same event has
/// the same showers whatever else is simulated.
class FastSimModel : public G4VFastSimulationModel {
 public:
  /// \param layers where the layers are, for the straight line that Extrapolate follows
  /// \throws InputError no parametrisation, or a batch without a handler
  FastSimModel(const G4String& name, G4Region* envelope,
               std::shared_ptr<const ParametrizationBase> parametrization,
               std::vector<LayerSurface> layers, const FastSimOptions& options = {});

  /// Particles there is a parametrisation for.
  G4bool IsApplicable(const G4ParticleDefinition& particle) override;
  /// Those of them whose energy and eta it is made for; others stay with Geant4.
  G4bool ModelTrigger(const G4FastTrack& track) override;
  /// Kills the particle and asks for its shower.
  void DoIt(const G4FastTrack& track, G4FastStep& step) override;
  /// Makes the showers that are waiting.
  void Flush() override;

  /// Showers, particles out of range, failures; see SimulationCounters.
  const SimulationCounters& counters() const noexcept { return collector_.counters(); }

 protected:
  /// Where the particle crosses the layers. A straight line here: override it in a magnetic field.
  virtual void Extrapolate(const TruthState& truth, ExtrapolationState& extrapolation) const;

 private:
  bool is_match(const G4FastTrack& track, TruthState& truth);
  void deposit(const SimulationState& state, ReturnCode result);

  std::shared_ptr<const ParametrizationBase> parametrization_;
  std::vector<LayerSurface> layers_;
  FastSimOptions options_;
  ExtrapolationState extrapolation_;
  G4FastSimHitMaker hit_maker_;
  const G4FastTrack* track_ = nullptr;  // during DoIt
  Collector collector_;
};

}  // namespace fastcaloq::geant4
