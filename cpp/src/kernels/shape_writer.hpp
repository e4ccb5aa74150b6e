// Turns a shape flow's weights around: the files hold, for every group, the weights from all it
// sees; ShapeView::weights has, for every group, the weights to all that sees it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "shape_order.hpp"
#include "shape_parameters.hpp"

namespace fastcaloq::kernels {

// Writes the condition's weights and those of the groups to their blocks.
class ShapeWriter {
 public:
  ShapeWriter(const ShapeParameters& p, const ShapeView& view, float* weights, float* head_bias)
      : p_(p), view_(view), weights_(weights), head_bias_(head_bias) {}

  void condition() {
    const std::size_t n = view_.n_condition;
    for (std::size_t i = 0; i < 2; ++i) {
      std::copy(p_.condition_weight[i].begin(), p_.condition_weight[i].end(),
                weights_ + view_.from_condition[i]);
    }
    for (std::size_t g = 0; g < view_.n_groups; ++g) {
      const ShapeGroupView& group = view_.groups[g];
      const std::size_t width = group.size * p_.context;
      const float* from = p_.condition_weight[2].data() + group.first * p_.context;
      for (std::size_t k = 0; k < n; ++k) {
        panels(view_.from_condition[2], n, view_.n_context, k, group.context,
               from + k * view_.n_coordinates * p_.context, width);
      }
    }
  }

  // To group `to`, from the inputs of this and all earlier ones.
  void group(std::size_t to) {
    const ShapeGroupParameters& from = p_.groups[to];
    const std::size_t units = p_.units, hidden = view_.n_hidden;
    const ShapeGroupView& target = view_.groups[to];
    const std::size_t width = target.size * p_.context;
    for (std::size_t s = 0; s <= to; ++s) {
      const ShapeGroupView& source = view_.groups[s];
      if (s < to) {
        const std::size_t before = (s + 1) * units;
        rows(source.from_known, 2 * source.n_new, hidden - before, to * units - before,
             from.hidden1_weight.data() + 2 * source.known * units);
      }
      rows(source.from_hidden1, units, hidden - s * units, (to - s) * units,
           from.hidden2_weight.data() + s * units * units);
      for (std::size_t k = 0; k < units; ++k) {
        panels(source.from_hidden2, units, view_.n_context - source.context, k,
               target.context - source.context,
               from.context_weight.data() + (s * units + k) * width, width);
      }
    }
    heads(from, target);
  }

 private:
  // n_in rows of `units` numbers to a column of a block.
  void rows(std::size_t block, std::size_t n_in, std::size_t n_out, std::size_t column,
            const float* from) {
    for (std::size_t k = 0; k < n_in; ++k) {
      std::copy_n(from + k * p_.units, p_.units, weights_ + block + k * n_out + column);
    }
  }

  // Row k to columns [column, column + width) of a block in slices and panels.
  void panels(std::size_t block, std::size_t n_in, std::size_t n_out, std::size_t k,
              std::size_t column, const float* from, std::size_t width) {
    const std::size_t slice = k / kSlice * kSlice;
    const std::size_t count = std::min(n_in - slice, kSlice);
    float* target = weights_ + block + slice * n_out + (k - slice) * kPanel;
    for (std::size_t j = 0; j < width; ++j) {
      const std::size_t o = column + j;
      target[o / kPanel * count * kPanel + o % kPanel] = from[j];
    }
  }

  void heads(const ShapeGroupParameters& from, const ShapeGroupView& target) {
    const std::size_t first = (p_.context + kLocal) * p_.head,
                      second = p_.head * view_.n_parameters;
    float* weight = weights_ + target.heads;
    float* bias = head_bias_ + target.first * (p_.head + view_.n_parameters);
    for (std::size_t i = 0; i < target.size; ++i) {
      weight = std::copy_n(from.head1_weight.data() + i * first, first, weight);
      weight = std::copy_n(from.head2_weight.data() + i * second, second, weight);
      bias = std::copy_n(from.head1_bias.data() + i * p_.head, p_.head, bias);
      bias = std::copy_n(from.head2_bias.data() + i * view_.n_parameters, view_.n_parameters, bias);
    }
  }

  const ShapeParameters& p_;
  const ShapeView& view_;
  float* weights_;
  float* head_bias_;
};

// What values add to the moments by their share, and how the sums are encoded; shape_views.hpp.
inline void write_moments(const ShapeParameters& p, const ShapeOrder& order, const ShapeView& view,
                          float* by_share, float* scale) {
  constexpr double unit[] = {0.5, 0.5, 2.0, 2.0};  // mm and mm^2
  constexpr double scales[kLayerMoments] = {1.0 / 4, 1.0 / 4, 1.0 / 6, 1.0 / 6, 0.0};
  for (std::size_t m = 0; m < view.n_moments; ++m) {
    scale[m] = static_cast<float>(scales[m % kLayerMoments]);
  }
  for (std::size_t i = 0; i < order.values.size(); ++i) {
    const ShapeValue& value = order.values[i];
    if (!value.alpha) continue;
    const double r = p.radii[value.layer][value.ring];
    const double phi = 2 * std::acos(-1.0) * (static_cast<double>(*value.alpha) + 0.5) /
                       static_cast<double>(p.layers[value.layer].n_alpha);
    const double sums[] = {r * std::cos(phi), r * std::sin(phi), r * r * std::cos(2 * phi),
                           r * r * std::sin(2 * phi)};
    for (std::size_t j = 0; j < 4; ++j) {
      by_share[i * kPanel + j] = static_cast<float>(sums[j] / unit[j]);
    }
  }
}

}  // namespace fastcaloq::kernels
