#include "simulation/particle_charge.hpp"

namespace fastcaloq::detail {
namespace {

/// Of the quark with this digit: d, s, b have odd numbers.
int quark(int digit) noexcept {
  if (digit == 0) return 0;
  return digit % 2 == 1 ? -1 : 2;
}

int positive_charge(long id) noexcept {
  if (id <= 6) return quark(static_cast<int>(id));
  if (id >= 11 && id <= 16) return id % 2 == 1 ? -3 : 0;
  if (id == 24 || id == 37) return 3;
  if (id > 1000000000) return 3 * static_cast<int>(id / 10000 % 1000);  // 10LZZZAAAI
  const int first = static_cast<int>(id / 1000 % 10);                   // quark digits of +-nqqqj
  const int second = static_cast<int>(id / 100 % 10);
  const int third = static_cast<int>(id / 10 % 10);
  if (second == 0 || (third == 0 && first == 0)) return 0;             // bosons
  if (first != 0) return quark(first) + quark(second) + quark(third);  // baryon
  // A meson of positive number: the heavier is a quark if up-like, an antiquark if down-like.
  return second % 2 == 0 ? quark(second) - quark(third) : quark(third) - quark(second);
}

}  // namespace

int charge_in_thirds(int pdgid) noexcept {
  const long id = pdgid;
  return id < 0 ? -positive_charge(-id) : positive_charge(id);
}

bool is_mirrored_in_phi(int pdgid) noexcept {
  constexpr int electron = 11;
  if (pdgid == electron) return false;
  return pdgid == -electron || charge_in_thirds(pdgid) < 0;
}

}  // namespace fastcaloq::detail
