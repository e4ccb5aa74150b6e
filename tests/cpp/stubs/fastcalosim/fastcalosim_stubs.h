// Stand-ins for what the adapter uses of FastCaloSim; the headers below all come here.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#define FCS_MSG_ERROR(x) \
  do {                   \
    (void)(x);           \
  } while (false)
#define FCS_MSG_WARNING(x) FCS_MSG_ERROR(x)

enum FCSReturnCode { FCSFatal = 0, FCSSuccess = 1, FCSRetry = 2 };

namespace CLHEP {
class HepRandomEngine {
 public:
  virtual ~HepRandomEngine() = default;
  virtual operator unsigned int() { return ++count_; }

 private:
  unsigned int count_ = 0;
};
}  // namespace CLHEP

struct Position {
  double m_x, m_y, m_z, m_eta, m_phi, m_r;
};

class Cell {
 public:
  Cell(std::uint64_t id, double proximity) : id_(id), proximity_(proximity) {}
  std::uint64_t id() const { return id_; }
  double boundary_proximity(const Position&) const { return proximity_; }

 private:
  std::uint64_t id_;
  double proximity_;
};

/// One cell for each layer, and none for positive phi in layer 1.
class CaloGeo {
 public:
  virtual ~CaloGeo() = default;
  virtual const Cell& get_cell(unsigned int layer, const Position& position) const {
    const double proximity = layer == 1 && position.m_phi > 1.0 ? 1.0 : -1.0;
    return cells_.insert_or_assign(layer, Cell(layer, proximity)).first->second;
  }

 private:
  mutable std::map<unsigned int, Cell> cells_;
};

class TFCSTruthState {
 public:
  int pdg = 22;
  double ekin = 1000.0, eta = 0.5, phi = 1.0;
  int pdgid() const { return pdg; }
  double Ekin() const { return ekin; }
  double M() const { return 0.0; }
  double Eta() const { return eta; }
  double Phi() const { return phi; }
};

class TFCSExtrapolationState {
 public:
  struct Point {
    double eta, phi, r, z;
  };
  std::map<std::pair<int, int>, Point> points;
  Point boundary{0.5, 1.0, 1400.0, 730.0};
  bool OK(int layer, int subpos) const { return points.at({layer, subpos}).r > 0.0; }
  double eta(int layer, int subpos) const { return points.at({layer, subpos}).eta; }
  double phi(int layer, int subpos) const { return points.at({layer, subpos}).phi; }
  double r(int layer, int subpos) const { return points.at({layer, subpos}).r; }
  double z(int layer, int subpos) const { return points.at({layer, subpos}).z; }
  double IDCaloBoundary_eta() const { return boundary.eta; }
  double IDCaloBoundary_phi() const { return boundary.phi; }
  double IDCaloBoundary_r() const { return boundary.r; }
  double IDCaloBoundary_z() const { return boundary.z; }
};

class TFCSSimulationState {
 public:
  explicit TFCSSimulationState(CLHEP::HepRandomEngine* engine = nullptr) : engine_(engine) {}
  CLHEP::HepRandomEngine* randomEngine() { return engine_; }
  double E() const { return total_; }
  double E(int sample) const { return energy_.at(sample); }
  double Efrac(int sample) const { return fraction_.at(sample); }
  void set_E(double energy) { total_ = energy; }
  void set_E(int sample, double energy) { energy_[sample] = energy; }
  void set_Efrac(int sample, double fraction) { fraction_[sample] = fraction; }
  void deposit(const unsigned long long cell, float energy) { cells_[cell] += energy; }
  const std::unordered_map<unsigned long long, float>& cells() const { return cells_; }

 private:
  CLHEP::HepRandomEngine* engine_;
  double total_ = 0.0;
  std::unordered_map<int, double> energy_, fraction_;
  std::unordered_map<unsigned long long, float> cells_;
};

class TFCSParametrizationBase {
 public:
  virtual ~TFCSParametrizationBase() = default;
  virtual void set_geometry(CaloGeo*) {}
  virtual bool is_match_eta(float) const { return false; }
  virtual FCSReturnCode simulate(TFCSSimulationState&, const TFCSTruthState*,
                                 const TFCSExtrapolationState*) const = 0;
};

class TFCSParametrization : public TFCSParametrizationBase {
 public:
  TFCSParametrization(const char* = nullptr, const char* = nullptr) {}
  virtual bool is_match_pdgid(int id) const { return pdgid_.count(id) > 0; }
  virtual void set_pdgid(const std::set<int>& ids) { pdgid_ = ids; }
  virtual void set_Ekin_min(double value) { Ekin_min_ = value; }
  virtual void set_Ekin_max(double value) { Ekin_max_ = value; }
  virtual void set_eta_min(double value) { eta_min_ = value; }
  virtual void set_eta_max(double value) { eta_max_ = value; }
  double Ekin_max() const { return Ekin_max_; }

 private:
  std::set<int> pdgid_;
  double Ekin_min_ = 0.0, Ekin_max_ = 0.0, eta_min_ = 0.0, eta_max_ = 0.0;
};
