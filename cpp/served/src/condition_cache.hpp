/// \file
/// Features of the conditions used last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace fastcaloq::detail {

/// The exact float32 values of a condition; -eta and eta are one.
std::uint64_t condition_key(float incident_energy, float eta);

/// Bounded; the condition unused for longest goes first. For many threads.
class ConditionCache {
 public:
  ConditionCache(std::size_t capacity, std::size_t n_features)
      : capacity_(capacity), n_features_(n_features) {}

  /// Copies what is known of `keys` to its rows of `features` (keys.size(), Q).
  /// \return positions in `keys` of what is not
  std::vector<std::size_t> look_up(const std::vector<std::uint64_t>& keys, float* features);

  /// Remembers row i of `features` (keys.size(), Q) under keys[i].
  void insert(const std::vector<std::uint64_t>& keys, const float* features);

  std::size_t size() const;

 private:
  struct Entry {
    std::uint64_t key;
    std::vector<float> features;
  };

  std::size_t capacity_;
  std::size_t n_features_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // latest first
  std::unordered_map<std::uint64_t, std::list<Entry>::iterator> places_;
};

}  // namespace fastcaloq::detail
