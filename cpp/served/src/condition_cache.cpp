#include "condition_cache.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace fastcaloq::detail {

std::uint64_t condition_key(float incident_energy, float eta) {
  const float size = std::fabs(eta);
  std::uint32_t energy_bits = 0;
  std::uint32_t eta_bits = 0;
  std::memcpy(&energy_bits, &incident_energy, sizeof(energy_bits));
  std::memcpy(&eta_bits, &size, sizeof(eta_bits));
  return (std::uint64_t{energy_bits} << 32) | eta_bits;
}

std::vector<std::size_t> ConditionCache::look_up(const std::vector<std::uint64_t>& keys,
                                                 float* features) {
  std::vector<std::size_t> missing;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto found = places_.find(keys[i]);
    if (found == places_.end()) {
      missing.push_back(i);
      continue;
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    std::copy_n(found->second->features.data(), n_features_, features + i * n_features_);
  }
  return missing;
}

void ConditionCache::insert(const std::vector<std::uint64_t>& keys, const float* features) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // Of more than there is room for, the last stay.
  const std::size_t first = keys.size() > capacity_ ? keys.size() - capacity_ : 0;
  for (std::size_t i = first; i < keys.size(); ++i) {
    const float* row = features + i * n_features_;
    const auto found = places_.find(keys[i]);
    if (found != places_.end()) {  // another thread asked too
      entries_.splice(entries_.begin(), entries_, found->second);
      std::copy_n(row, n_features_, found->second->features.data());
      continue;
    }
    if (entries_.size() == capacity_) {
      places_.erase(entries_.back().key);
      entries_.pop_back();
    }
    entries_.push_front({keys[i], std::vector<float>(row, row + n_features_)});
    places_[keys[i]] = entries_.begin();
  }
}

std::size_t ConditionCache::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return entries_.size();
}

}  // namespace fastcaloq::detail
