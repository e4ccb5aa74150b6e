// The shape flow written straight from its definition, one shower at a time, in any precision, with
// the cells of a shower looked up by name. In double it is the truth of the kernel tests; in float
// it shows how much error single precision makes by itself.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include "reference.hpp"
#include "shape_parameters.hpp"

namespace fastcaloq::kernels::reference {

// A ring of a layer (alpha -1), or one voxel.
using Cell = std::array<int, 3>;

struct ShapeDraw {
  int group = 0;
  Cell cell;
  std::optional<Cell> rest;  // takes what is left behind the last draw of a chain
};

inline std::vector<ShapeDraw> draws(const ShapeParameters& p) {
  std::vector<ShapeDraw> found;
  int group = 0;
  const int n_layers = static_cast<int>(p.layers.size());
  const auto rings = [&](int l) { return static_cast<int>(p.layers[std::size_t(l)].n_rings); };
  const auto alphas = [&](int l) { return static_cast<int>(p.layers[std::size_t(l)].n_alpha); };
  for (int l = 0; l < n_layers; ++l) {
    for (int r = 0; r + 1 < rings(l); ++r) {
      ShapeDraw draw{group++, {l, r, -1}, {}};
      if (r + 2 == rings(l)) draw.rest = Cell{l, r + 1, -1};
      found.push_back(draw);
    }
  }
  struct Keyed {
    int key;
    ShapeDraw draw;
  };
  std::vector<Keyed> keyed;
  int k = 0;
  for (int l = 0; l < n_layers; ++l) {
    if (rings(l) == 0 || alphas(l) < 2) continue;
    for (int r = 0; r < rings(l); ++r) {
      for (int a = 0; a + 1 < alphas(l); ++a) {
        ShapeDraw draw{0, {l, r, a}, {}};
        if (a + 2 == alphas(l)) draw.rest = Cell{l, r, a + 1};
        keyed.push_back(
            {a + static_cast<int>(p.stride) * r + static_cast<int>(p.offset) * k, draw});
      }
    }
    ++k;
  }
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const Keyed& x, const Keyed& y) { return x.key < y.key; });
  for (std::size_t i = 0; i < keyed.size(); ++i) {
    if (i > 0 && keyed[i].key != keyed[i - 1].key) ++group;
    keyed[i].draw.group = group;
    found.push_back(keyed[i].draw);
  }
  return found;
}

inline std::vector<Cell> neighbours(const Cell& cell) {
  const auto [l, r, a] = cell;
  const Cell none = {-1, -1, -1};
  if (a < 0) return {{l, r - 1, -1}, {l, r - 2, -1}, {l, r - 3, -1}, none, none, none, none};
  return {{l, r - 1, a},
          {l, r - 1, a + 1},
          a > 0 ? Cell{l, r - 1, a - 1} : none,
          a > 0 ? Cell{l, r, a - 1} : none,
          a > 1 ? Cell{l, r, a - 2} : none,
          a > 0 ? Cell{l, r, 0} : none,
          {l, r, -1}};
}

// The layer before `layer` that has bins in alpha; -1: none.
inline int layer_before(const ShapeParameters& p, int layer) {
  while (--layer >= 0 && p.layers[std::size_t(layer)].n_alpha < 2) {
  }
  return layer;
}

// Moments of a layer over the voxels whose shares are known; zeros for layer -1.
template <class T>
std::vector<T> moments(const ShapeParameters& p, const std::map<Cell, T>& share, int layer) {
  std::vector<T> sums(5, T(0));
  if (layer < 0) return sums;
  const ShapeLayer& grid = p.layers[std::size_t(layer)];
  const T pi = std::acos(T(-1));
  for (const auto& [cell, w] : share) {
    const auto [l, r, a] = cell;
    if (l != layer || a < 0) continue;
    const T radius = static_cast<T>(p.radii[std::size_t(l)][std::size_t(r)]);
    const T phi = 2 * pi * (T(a) + T(0.5)) / static_cast<T>(grid.n_alpha);
    sums[0] += w * radius * std::cos(phi);
    sums[1] += w * radius * std::sin(phi);
    sums[2] += w * radius * radius * std::cos(2 * phi);
    sums[3] += w * radius * radius * std::sin(2 * phi);
    if (w > 0) sums[4] += 1 / static_cast<T>(grid.n_rings * grid.n_alpha);
  }
  return {std::asinh(sums[0] / T(0.5)) / 4, std::asinh(sums[1] / T(0.5)) / 4,
          std::asinh(sums[2] / 2) / 6, std::asinh(sums[3] / 2) / 6, sums[4]};
}

template <class T>
T silu(T x) {
  return x / (1 + std::exp(-x));
}

// bias + sum over x of its row of a matrix with n_out columns, for columns [first, first + n).
template <class T>
void add_product(const std::vector<T>& x, const float* weight, std::size_t n_out, std::size_t first,
                 std::vector<T>& sum) {
  for (std::size_t k = 0; k < x.size(); ++k) {
    for (std::size_t o = 0; o < sum.size(); ++o) {
      sum[o] += x[k] * static_cast<T>(weight[k * n_out + first + o]);
    }
  }
}

// Voxel energies [V] in MeV. Where `nudged` is given, latents whose uniform number is closer to a
// threshold than 1e-3 are moved, and all are returned in it: rounding then cannot change a state.
template <class T>
std::vector<T> sample_shape(const ShapeParameters& p, float incident, const float* condition,
                            const float* features, const float* layer_energy, const float* latents,
                            std::vector<float>* nudged = nullptr) {
  const std::size_t n_layers = p.layers.size(), units = p.units, context = p.context;
  const T scale = static_cast<T>(p.energy_scale);
  const auto encode = [&](T energy) { return std::log1p(energy / scale) / 4 - T(0.5); };
  std::vector<T> h = {condition[0], condition[1]};
  for (std::size_t l = 0; l < n_layers; ++l) h.push_back(encode(layer_energy[l]));
  for (std::size_t l = 0; l < n_layers; ++l) {
    h.push_back(std::log((layer_energy[l] + scale) / static_cast<T>(incident)) / 3);
  }
  h.insert(h.end(), features, features + p.n_features);

  CouplingBlock spline;
  spline.bins = p.bins;
  spline.tail_bound = p.tail_bound;
  spline.min_bin_width = p.min_bin_width;
  spline.min_bin_height = p.min_bin_height;
  spline.min_derivative = p.min_derivative;
  const T log_scale_bound = static_cast<T>(p.log_scale_bound);
  const std::size_t parameters = 4 + 3 * p.bins - 1;

  std::map<Cell, T> energy, code, share;  // of what was drawn so far
  std::map<std::pair<int, int>, T> left;
  for (std::size_t l = 0; l < n_layers; ++l) {
    left[{static_cast<int>(l), -1}] = layer_energy[l];
    if (p.layers[l].n_rings == 1) energy[{static_cast<int>(l), 0, -1}] = layer_energy[l];
  }
  std::vector<T> known, next, h1, h2;
  const std::vector<ShapeDraw> order = draws(p);
  const std::size_t hidden = units * p.groups.size();
  if (nudged != nullptr) nudged->clear();
  for (std::size_t first = 0, g = 0; first < order.size(); ++g) {
    const ShapeGroupParameters& group = p.groups[g];
    std::size_t size = 0;
    while (first + size < order.size() && order[first + size].group == static_cast<int>(g)) ++size;
    const auto start = [&](std::size_t i, std::size_t n, std::size_t column, std::size_t n_out) {
      const auto from = p.condition_bias[i].begin() + static_cast<std::ptrdiff_t>(column);
      std::vector<T> sum(from, from + static_cast<std::ptrdiff_t>(n));
      add_product(h, p.condition_weight[i].data(), n_out, column, sum);
      return sum;
    };
    std::vector<T> sum = start(0, units, g * units, hidden);
    add_product(known, group.hidden1_weight.data(), units, 0, sum);
    for (const T s : sum) h1.push_back(silu(s));
    sum = start(1, units, g * units, hidden);
    add_product(h1, group.hidden2_weight.data(), units, 0, sum);
    for (std::size_t j = 0; j < units; ++j) h2.push_back(h1[g * units + j] + silu(sum[j]));
    sum = start(2, size * context, first * context, order.size() * context);
    add_product(h2, group.context_weight.data(), size * context, 0, sum);

    next = known;
    const auto reveal = [&](int l, T value) {
      const T inverse = 1 / std::max(static_cast<T>(layer_energy[l]), T(1e-9));
      next.push_back(encode(value));
      next.push_back(10 * value * inverse);
    };
    for (std::size_t i = 0; i < size; ++i) {
      const auto [l, r, a] = order[first + i].cell;
      if (a == 0) left[{l, r}] = energy[{l, r, -1}];
      T& total = left[{l, a < 0 ? -1 : r}];
      const auto own = sum.begin() + static_cast<std::ptrdiff_t>(i * context);
      std::vector<T> x(own, own + static_cast<std::ptrdiff_t>(context));
      x.push_back(encode(total));
      for (const Cell& cell : neighbours({l, r, a})) {
        const auto at = code.find(cell);
        x.push_back(at == code.end() ? T(0) : at->second);
      }
      const std::vector<T> own_moments = moments(p, share, a < 0 ? -1 : l);
      x.insert(x.end(), own_moments.begin(), own_moments.end());
      const std::vector<T> before = moments(p, share, a < 0 ? -1 : layer_before(p, l));
      x.insert(x.end(), {before[0], before[1], before[4]});
      std::vector<T> y(group.head1_bias.begin() + static_cast<std::ptrdiff_t>(i * p.head),
                       group.head1_bias.begin() + static_cast<std::ptrdiff_t>((i + 1) * p.head));
      add_product(x, group.head1_weight.data() + i * x.size() * p.head, p.head, 0, y);
      for (T& value : y) value = silu(value);
      const auto bias = group.head2_bias.begin() + static_cast<std::ptrdiff_t>(i * parameters);
      std::vector<T> q(bias, bias + static_cast<std::ptrdiff_t>(parameters));
      add_product(y, group.head2_weight.data() + i * p.head * parameters, parameters, 0, q);

      const T top = std::max(T(0), std::max(q[0], q[1]));
      const T norm = std::exp(q[0] - top) + std::exp(-top) + std::exp(q[1] - top);
      const T p0 = std::exp(q[0] - top) / norm, part = std::exp(-top) / norm;
      float z = latents[first + i];
      const auto uniform = [&] { return std::erfc(-static_cast<T>(z) / std::sqrt(T(2))) / 2; };
      const auto close = [&](T at) { return std::abs(uniform() - at) < T(1e-3); };
      while (nudged != nullptr && std::abs(z) < 3 && (close(p0) || close(p0 + part))) z += 0.003f;
      if (nudged != nullptr && (close(p0) || close(p0 + part))) z = 0;
      while (nudged != nullptr && (close(p0) || close(p0 + part))) z += 0.003f;
      if (nudged != nullptr) nudged->push_back(z);
      const T u = uniform();
      T taken = 0, after = total;
      if (u >= p0 + part) {
        taken = total;
        after = 0;
      } else if (!(u < p0)) {
        const T w = std::min(std::max((u - p0) / part, T(1e-6)), T(1) - T(1e-6));
        const std::vector<T> theta(q.begin() + 4, q.end());
        const T s = spline_inverse(spline, theta, std::log(w) - std::log1p(-w));
        const T t = q[2] + std::exp(log_scale_bound * std::tanh(q[3] / log_scale_bound)) * s;
        taken = total / (1 + std::exp(-t));
        after = total / (1 + std::exp(t));
      }
      energy[{l, r, a}] = taken;
      total = after;
      reveal(l, taken);
      if (order[first + i].rest) {
        energy[*order[first + i].rest] = after;
        reveal(l, after);
      }
    }
    for (std::size_t i = 0, k = known.size(); i < size; ++i) {
      const auto keep = [&](const Cell& cell) {
        code[cell] = next[k++];
        share[cell] = next[k++] / 10;
      };
      keep(order[first + i].cell);
      if (order[first + i].rest) keep(*order[first + i].rest);
    }
    known = next;
    first += size;
  }
  std::vector<T> voxels;
  for (int l = 0; l < static_cast<int>(n_layers); ++l) {
    const int n_alpha = static_cast<int>(p.layers[std::size_t(l)].n_alpha);
    for (int a = 0; a < n_alpha; ++a) {
      for (int r = 0; r < static_cast<int>(p.layers[std::size_t(l)].n_rings); ++r) {
        voxels.push_back(energy.at({l, r, n_alpha == 1 ? -1 : a}));
      }
    }
  }
  return voxels;
}

}  // namespace fastcaloq::kernels::reference
