/// \file
/// Showers of FastCaloQ as a parametrisation of FastCaloSim.
#pragma once

#include <FastCaloSim/Core/TFCSParametrization.h>

#include <cstdint>
#include <fastcaloq/parametrization.hpp>
#include <memory>

namespace fastcaloq::fastcalosim {

/// Makes a whole shower in one call: layer energies and, where a geometry is set, the cells of its
/// hits, each layer scaled to its energy again where hits found no cell. Goes where an energy
/// parametrisation and its shapes would go in a chain of FastCaloSim's. It cannot be written to a ROOT
/// file: make it in code.
///
/// The key of the random numbers is (seed, 64 bits of the state's engine), so runs repeat as those of
/// FastCaloSim do. Retry asks FastCaloSim's chains for one more call.
class TFCSFastCaloQ : public ::TFCSParametrization {
 public:
  /// Ranges and particles are the parametrisation's.
  /// \param pdgid particles FastCaloSim shall select it for
  /// \throws InputError no parametrisation
  TFCSFastCaloQ(const char* name, std::shared_ptr<const ParametrizationBase> parametrization,
                const std::set<int>& pdgid, std::uint64_t seed = 1,
                OutOfRange policy = OutOfRange::refuse);

  FCSReturnCode simulate(TFCSSimulationState& simulstate, const TFCSTruthState* truth,
                         const TFCSExtrapolationState* extrapol) const override;
  void set_geometry(CaloGeo* geo) override { geo_ = geo; }
  bool is_match_eta(float eta) const override;

 private:
  void deposit(const SimulationState& state, TFCSSimulationState& simulstate) const;

  std::shared_ptr<const ParametrizationBase> parametrization_;
  std::uint64_t seed_;
  OutOfRange policy_;
  CaloGeo* geo_ = nullptr;
};

}  // namespace fastcaloq::fastcalosim
