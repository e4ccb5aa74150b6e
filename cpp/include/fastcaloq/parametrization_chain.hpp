/// \file
/// Several parametrisations behind one: each particle goes to the one it matches.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "fastcaloq/parametrization.hpp"

namespace fastcaloq {

/// Selects by particle, energy and eta, as FastCaloSim's select chains do: the first that matches. Where
/// none does, the state's policy decides: `refuse` is Fatal, with `clip` and `extrapolate` the nearest
/// of those for this particle is taken, by |eta| first, then by the logarithm of the energy.
///
/// A Retry is tried again with other random numbers, at most retries() times, then it is Fatal; which
/// numbers is fixed by the key, so the same key gives the same shower.
class FASTCALOQ_API ParametrizationChain final : public ParametrizationBase {
 public:
  /// As often as FastCaloSim.
  static constexpr unsigned default_retries = 3;

  explicit ParametrizationChain(unsigned retries = default_retries) : retries_(retries) {}

  /// Not while another thread simulates.
  /// \throws InputError null
  void push_back(std::shared_ptr<const ParametrizationBase> parametrization);
  std::size_t size() const noexcept { return chain_.size(); }
  const ParametrizationBase& operator[](std::size_t index) const { return *chain_[index]; }
  unsigned retries() const noexcept { return retries_; }

  /// The one that would make this particle's shower; null: none.
  const ParametrizationBase* select(int pdgid, double Ekin, double eta,
                                    OutOfRange policy) const noexcept;

  ReturnCode simulate(SimulationState& state, const TruthState& truth,
                      const ExtrapolationState& extrapolation) const noexcept override;
  /// Particles of one parametrisation are drawn together.
  void simulate(SimulationRequest* requests, std::size_t n) const noexcept override;

  bool is_match_pdgid(int pdgid) const noexcept override;
  bool is_match_Ekin(double Ekin) const noexcept override;
  bool is_match_eta(double eta) const noexcept override;
  bool is_match(int pdgid, double Ekin, double eta) const noexcept override;
  double Ekin_min() const noexcept override;
  double Ekin_max() const noexcept override;
  double eta_min() const noexcept override;
  double eta_max() const noexcept override;

 private:
  void retry(SimulationRequest& request, const ParametrizationBase& parametrization) const noexcept;

  std::vector<std::shared_ptr<const ParametrizationBase>> chain_;
  unsigned retries_;
};

}  // namespace fastcaloq
