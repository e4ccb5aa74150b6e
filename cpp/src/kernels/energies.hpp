// Inverse preprocessing: data coordinates to layer energies in MeV, and the condition.
#pragma once

#include "math.hpp"
#include "views.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

// log(1 - exp(-v)), v >= 0; -inf at 0, 0 at infinity.
FASTCALOQ_INLINE F log1mexp(F v) {
  return log(-expm1(-v));
}

// Coordinates of one vector. As y + log(1 - exp(-kappa (x - b))) / kappa
//   = b + log(exp(kappa (x - b)) - 1) / kappa, and the same above, one formula serves all bounds:
// absent ones are infinite and add nothing.
struct Coordinates {
  F lower, upper, ceiling, sharpness, inverse_sharpness, mean, scale;
};

FASTCALOQ_INLINE F unbounded(const Coordinates& c, F x) {
  const F below = log1mexp(c.sharpness * (x - c.lower));
  const F above = log1mexp(c.sharpness * (c.upper - x));
  const F free = fma(below - above, c.inverse_sharpness, x);
  // Nothing passes the ceiling; an absent one is infinite and its soft-plus 0.
  const F excess = softplus(c.sharpness * (free - c.ceiling));
  const F y = fma(-excess, c.inverse_sharpness, free);
  return fma(c.scale, y, c.mean);
}

// An energy over the incident energy: exp(t), exactly 0 below the lower bound.
FASTCALOQ_INLINE F response(const Coordinates& c, F x, F t) {
  return select(x < c.lower, set1(0.0f), exp(t));
}

// What a layer takes of the energy that is left, and what it leaves.
FASTCALOQ_INLINE void shares(const Coordinates& c, F x, F t, F& taken, F& left) {
  const F zero = set1(0.0f), one = set1(1.0f);
  sigmoids(t, taken, left);
  const M empty = x < c.lower;
  const M all = c.upper < x;
  taken = select(empty, zero, select(all, one, taken));
  left = select(empty, one, select(all, zero, left));
}

// x [L][stride] rows of showers, incident energies and energies likewise; layer_energy [L][stride].
static void energies_batch(const FlowView& flow, const float* x, const float* incident_energy,
                           std::size_t stride, std::size_t vectors, float* layer_energy) {
  const CoordinatesView& view = flow.coordinates;
  for (std::size_t v = 0; v < vectors; ++v) {
    const F incident = load(incident_energy + v * kLanes);
    const F log_energy = log(incident);
    F rest = set1(0.0f);
    for (std::size_t k = 0; k < flow.n_layers; ++k) {
      F start = set1(view.segment_start[0]);
      F mean = set1(view.mean[k]), mean_slope = set1(view.mean_slope[k]);
      F scale = set1(view.scale[k]), scale_slope = set1(view.scale_slope[k]);
      for (std::size_t s = 1; s < view.n_segments; ++s) {
        const F next = set1(view.segment_start[s]);
        const M beyond = log_energy >= next;
        const std::size_t row = s * view.stride + k;
        start = select(beyond, next, start);
        mean = select(beyond, set1(view.mean[row]), mean);
        mean_slope = select(beyond, set1(view.mean_slope[row]), mean_slope);
        scale = select(beyond, set1(view.scale[row]), scale);
        scale_slope = select(beyond, set1(view.scale_slope[row]), scale_slope);
      }
      const F step = log_energy - start;
      const Coordinates c = {set1(view.lower[k]),
                             set1(view.upper[k]),
                             set1(view.ceiling[k]),
                             set1(view.sharpness[k]),
                             set1(view.inverse_sharpness[k]),
                             fma(step, mean_slope, mean),
                             fma(step, scale_slope, scale)};
      const F coordinate = load(x + k * stride + v * kLanes);
      const F t = unbounded(c, coordinate);
      if (k == 0) {
        rest = incident * response(c, coordinate, t);
      } else if (k <= flow.n_absolute) {
        store(layer_energy + flow.layer_order[k - 1] * stride + v * kLanes,
              incident * response(c, coordinate, t));
      } else {
        F taken, left;
        shares(c, coordinate, t, taken, left);
        store(layer_energy + flow.layer_order[k - 1] * stride + v * kLanes, rest * taken);
        rest = rest * left;
      }
    }
    store(layer_energy + flow.layer_order[flow.n_layers - 1] * stride + v * kLanes, rest);
  }
}

// x [L rounded up to kPanel], scratch [3 * (L rounded up to kPanel)], layer_energy [L].
static void energies_single(const FlowView& flow, const float* x, float incident_energy,
                            float* scratch, float* layer_energy) {
  const CoordinatesView& view = flow.coordinates;
  const F incident = set1(incident_energy);
  const F log_energy = log(incident);
  alignas(64) float lanes[kLanes];
  store(lanes, log_energy);
  std::size_t segment = 0;
  for (std::size_t s = 1; s < view.n_segments; ++s) segment += lanes[0] >= view.segment_start[s];
  const F step = log_energy - set1(view.segment_start[segment]);
  float* taken_row = scratch;
  float* left_row = scratch + view.stride;
  float* absolute_row = left_row + view.stride;
  for (std::size_t k = 0; k < flow.n_layers; k += kLanes) {
    const std::size_t row = segment * view.stride + k;
    const Coordinates c = {load(view.lower + k),
                           load(view.upper + k),
                           load(view.ceiling + k),
                           load(view.sharpness + k),
                           load(view.inverse_sharpness + k),
                           fma(step, load(view.mean_slope + row), load(view.mean + row)),
                           fma(step, load(view.scale_slope + row), load(view.scale + row))};
    const F coordinate = load(x + k);
    const F t = unbounded(c, coordinate);
    if (k <= flow.n_absolute) store(absolute_row + k, incident * response(c, coordinate, t));
    F taken, left;
    shares(c, coordinate, t, taken, left);
    store(taken_row + k, taken);
    store(left_row + k, left);
  }
  float rest = absolute_row[0];
  for (std::size_t k = 1; k <= flow.n_absolute; ++k) {
    layer_energy[flow.layer_order[k - 1]] = absolute_row[k];
  }
  for (std::size_t k = 1 + flow.n_absolute; k < flow.n_layers; ++k) {
    layer_energy[flow.layer_order[k - 1]] = rest * taken_row[k];
    rest = rest * left_row[k];
  }
  layer_energy[flow.layer_order[flow.n_layers - 1]] = rest;
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
