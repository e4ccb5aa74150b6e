// Stand-ins for what the adapter uses of Geant4; the headers beside this one all come here.
#pragma once

#include <string>
#include <utility>
#include <vector>

using G4bool = bool;
using G4int = int;
using G4double = double;
using G4String = std::string;

class G4ThreeVector {
 public:
  G4ThreeVector(double x = 0.0, double y = 0.0, double z = 0.0) : x_(x), y_(y), z_(z) {}
  double x() const { return x_; }
  double y() const { return y_; }
  double z() const { return z_; }

 private:
  double x_, y_, z_;
};

class G4Region {};
using G4Envelope = G4Region;

class G4ParticleDefinition {
 public:
  G4ParticleDefinition(G4int pdg, G4double mass) : pdg_(pdg), mass_(mass) {}
  G4int GetPDGEncoding() const { return pdg_; }
  G4double GetPDGMass() const { return mass_; }

 private:
  G4int pdg_;
  G4double mass_;
};

class G4Track {
 public:
  G4Track(const G4ParticleDefinition* particle, G4int id, G4double energy,
          const G4ThreeVector& position, const G4ThreeVector& direction)
      : particle_(particle),
        id_(id),
        energy_(energy),
        position_(position),
        direction_(direction) {}
  G4ParticleDefinition* GetDefinition() const {
    return const_cast<G4ParticleDefinition*>(particle_);
  }
  G4int GetTrackID() const { return id_; }
  G4double GetKineticEnergy() const { return energy_; }
  const G4ThreeVector& GetPosition() const { return position_; }
  const G4ThreeVector& GetMomentumDirection() const { return direction_; }

 private:
  const G4ParticleDefinition* particle_;
  G4int id_;
  G4double energy_;
  G4ThreeVector position_, direction_;
};

class G4FastTrack {
 public:
  explicit G4FastTrack(const G4Track* track) : track_(track) {}
  const G4Track* GetPrimaryTrack() const { return track_; }

 private:
  const G4Track* track_;
};

class G4FastStep {
 public:
  void KillPrimaryTrack() { killed = true; }
  void ProposePrimaryTrackPathLength(G4double length) { path_length = length; }
  void ProposeTotalEnergyDeposited(G4double energy) { deposited = energy; }
  bool killed = false;
  G4double path_length = -1.0, deposited = -1.0;
};

class G4FastHit {
 public:
  G4FastHit(const G4ThreeVector& position, G4double energy)
      : position_(position), energy_(energy) {}
  G4ThreeVector GetPosition() const { return position_; }
  G4double GetEnergy() const { return energy_; }

 private:
  G4ThreeVector position_;
  G4double energy_;
};

class G4FastSimHitMaker {
 public:
  void make(const G4FastHit& hit, const G4FastTrack&) { made().push_back(hit); }
  static std::vector<G4FastHit>& made() {  // of this stand-in alone
    static std::vector<G4FastHit> hits;
    return hits;
  }
};

class G4VFastSimulationModel {
 public:
  G4VFastSimulationModel(const G4String& name, G4Envelope*, G4bool = false) : name_(name) {}
  virtual ~G4VFastSimulationModel() = default;
  virtual G4bool IsApplicable(const G4ParticleDefinition&) = 0;
  virtual G4bool ModelTrigger(const G4FastTrack&) = 0;
  virtual void DoIt(const G4FastTrack&, G4FastStep&) = 0;
  virtual void Flush() {}
  const G4String GetName() const { return name_; }

 private:
  G4String name_;
};

class G4Event {
 public:
  G4int GetEventID() const { return 7; }
};

class G4EventManager {
 public:
  static G4EventManager* GetEventManager() {
    static G4EventManager manager;
    return &manager;
  }
  const G4Event* GetConstCurrentEvent() { return &event_; }

 private:
  G4Event event_;
};
