/// \file
/// Batches for code that has one particle at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "fastcaloq/parametrization.hpp"

namespace fastcaloq {

/// Gathers particles and makes their showers in one batch: when flush() is called, at the end of an
/// event for instance, or when it is full. The showers are those of `simulate`, bit for bit. One thread
/// uses it at a time; its memory is kept from batch to batch.
class FASTCALOQ_API Collector {
 public:
  /// Gets each shower, in the order the particles were added, and then never again: the state is used
  /// for the next batch. May throw; the rest of the batch is then dropped.
  using Handler =
      std::function<void(const SimulationState& state, const TruthState& truth, ReturnCode result)>;

  /// \param parametrization must outlive the collector
  /// \param capacity particles in a batch, 1 to 1,000,000
  /// \throws InputError another capacity, or no handler
  Collector(const ParametrizationBase& parametrization, std::size_t capacity, Handler handler,
            OutOfRange policy = OutOfRange::refuse);
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  /// Takes copies. A full collector is flushed first. May throw std::bad_alloc, or what the handler does.
  void add(const TruthState& truth, const ExtrapolationState& extrapolation, const ShowerKey& key);
  /// Makes the showers that were asked for and hands them over. Particles not flushed when the
  /// collector dies are dropped.
  /// \return number of them without a shower
  std::size_t flush();

  std::size_t size() const noexcept { return n_; }  ///< particles waiting
  std::size_t capacity() const noexcept { return capacity_; }
  /// Sums over all batches.
  const SimulationCounters& counters() const noexcept { return counters_; }

 private:
  struct Particle {
    TruthState truth;
    ExtrapolationState extrapolation;
    SimulationState state;
  };

  const ParametrizationBase& parametrization_;
  std::size_t capacity_;
  Handler handler_;
  OutOfRange policy_;
  std::vector<Particle> particles_;  // the first n_ are waiting
  std::vector<SimulationRequest> requests_;
  std::size_t n_ = 0;
  SimulationCounters counters_;
};

}  // namespace fastcaloq
