/// \file
/// Parametrisations: what makes a shower for a particle.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "fastcaloq/export.hpp"
#include "fastcaloq/extrapolation_state.hpp"
#include "fastcaloq/hits.hpp"
#include "fastcaloq/model_card.hpp"
#include "fastcaloq/sampler.hpp"
#include "fastcaloq/simulation_state.hpp"
#include "fastcaloq/truth_state.hpp"

namespace fastcaloq {

namespace detail {
class ModelSimulation;
class ShowerSource;
}  // namespace detail

/// One particle of a batch; the pointers stay the caller's. Every state is another one.
struct SimulationRequest {
  SimulationState* state = nullptr;
  const TruthState* truth = nullptr;
  const ExtrapolationState* extrapolation = nullptr;
  ReturnCode result = ReturnCode::Fatal;  ///< out
};

/// Base of all parametrisations, with FastCaloSim's meaning. Immutable once set up: `simulate` may be
/// called from many threads, each with states of its own. It never throws: what goes wrong is a return
/// code and a reason in the state.
class FASTCALOQ_API ParametrizationBase {
 public:
  ParametrizationBase() = default;
  ParametrizationBase(const ParametrizationBase&) = delete;
  ParametrizationBase& operator=(const ParametrizationBase&) = delete;
  virtual ~ParametrizationBase();

  /// Makes the shower of one particle.
  /// \param state in: key and policy; out: the shower. What it held is forgotten.
  /// \param extrapolation positions of the layers; needed where hits are made
  virtual ReturnCode simulate(SimulationState& state, const TruthState& truth,
                              const ExtrapolationState& extrapolation) const noexcept = 0;

  /// The same for n particles at once, bit for bit: faster where the implementation draws them together.
  /// The base class calls the other overload for one after the other.
  virtual void simulate(SimulationRequest* requests, std::size_t n) const noexcept;

  virtual bool is_match_pdgid(int pdgid) const noexcept = 0;
  /// From Ekin_min() to below Ekin_max().
  virtual bool is_match_Ekin(double Ekin) const noexcept;
  /// |eta| from eta_min() to below eta_max().
  virtual bool is_match_eta(double eta) const noexcept;
  /// All three at once.
  virtual bool is_match(int pdgid, double Ekin, double eta) const noexcept;

  virtual double Ekin_min() const noexcept { return 0.0; }  ///< MeV
  /// MeV
  virtual double Ekin_max() const noexcept { return std::numeric_limits<double>::infinity(); }
  virtual double eta_min() const noexcept { return 0.0; }  ///< |eta|
  virtual double eta_max() const noexcept { return std::numeric_limits<double>::infinity(); }
};

struct ModelParametrizationOptions {
  /// PDG numbers it stands for; empty: the model's particle and its antiparticle.
  std::vector<int> pdgid;
  /// MeV and |eta| it is chosen for, low <= value < high; none: the model's range of validity, its
  /// upper limit included. What it does beyond the range of validity is the state's policy.
  std::optional<Interval> Ekin, eta;
  /// Draw voxels where the model has them. False: layer energies alone, the same ones, faster.
  bool voxels = true;
  /// Make hits of the voxels.
  bool make_hits = true;
  HitOptions hits;
};

/// A trained model as a parametrisation. The incident energy asked of the model is the kinetic energy,
/// the eta is shower_eta().
///
/// | returns | where |
/// |---|---|
/// | Retry | the model gives an energy that is not finite |
/// | Fatal | another particle; energy or eta that is not a number, or refused by the policy; no extrapolated position for a layer with energy; the conditioner fails; no memory |
class FASTCALOQ_API ModelParametrization final : public ParametrizationBase {
 public:
  /// \throws InputError options that make no sense
  explicit ModelParametrization(Sampler sampler, const ModelParametrizationOptions& options = {});
  /// Loads nothing: for the library's own tests.
  explicit ModelParametrization(std::unique_ptr<const detail::ShowerSource> source,
                                const ModelParametrizationOptions& options = {});
  ~ModelParametrization() override;

  ReturnCode simulate(SimulationState& state, const TruthState& truth,
                      const ExtrapolationState& extrapolation) const noexcept override;
  void simulate(SimulationRequest* requests, std::size_t n) const noexcept override;

  bool is_match_pdgid(int pdgid) const noexcept override;
  double Ekin_min() const noexcept override;
  double Ekin_max() const noexcept override;
  double eta_min() const noexcept override;
  double eta_max() const noexcept override;

  const ModelCard& card() const noexcept;

 private:
  std::unique_ptr<const detail::ModelSimulation> simulation_;
};

}  // namespace fastcaloq
