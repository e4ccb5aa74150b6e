// One shower through the shape flow. Its cost is to read the weights once, hence: as soon as a
// value is known it is added, times its weights, to everything later that depends on it. The
// outputs are in the lanes, none waits for another, and the weights are read from front to back
// as they lie in memory. Every output still sums its inputs in ascending order, as in the batch
// path.
#pragma once

#include "shape_draw.hpp"
#include "shape_products.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

// Rows of one shower's scratch; each may be written up to kPanel floats beyond its end.
struct ShapeRows {
  float* condition;   // [n_condition]
  float* sum1;        // [n_hidden], the first hidden units before activation
  float* sum2;        // [n_hidden], likewise the second
  float* context;     // [n_context], starts on a cache line
  float* hidden;      // [units]
  float* uniform;     // [n_coordinates]
  float* rest;        // [n_coordinates], one minus it, with digits of its own
  float* known;       // [2 n_known + 1], a zero behind the last
  float* energy;      // [n_energies]
  float* inverse;     // [n_layers], 1 / MeV
  float* sums;        // [n_moments]
  float* moments;     // [n_moments + 1], encoded; a zero behind the last
  float* total;       // [max_group]
  float* total_code;  // [max_group]
  float* taken;       // [max_group]
  float* taken_code;  // [max_group]
  float* left;        // [max_group]
  float* left_code;   // [max_group]
  float* input;       // [context + kLocal]
  float* head;        // [head]
  float* row;         // [n_parameters]
  float* theta;       // [n_parameters][theta_stride]
  std::size_t theta_stride;
  float* terms;  // [2 * bins * kPanel], starts on a cache line
};

static ShapeRows shape_rows(const ShapeView& shape, float* scratch) {
  ShapeRows rows;
  const auto take = [&scratch](std::size_t n) {
    float* row = scratch;
    scratch += (n + kPanel - 1) / kPanel * kPanel + kPanel;
    return row;
  };
  rows.theta_stride = (shape.max_group + kPanel - 1) / kPanel * kPanel;
  rows.condition = take(shape.n_condition);
  rows.sum1 = take(shape.n_hidden);
  rows.sum2 = take(shape.n_hidden);
  rows.context = take(shape.n_context);
  rows.hidden = take(shape.units);
  rows.uniform = take(shape.n_coordinates);
  rows.rest = take(shape.n_coordinates);
  rows.known = take(2 * shape.n_known + 1);
  rows.energy = take(shape.n_energies);
  rows.inverse = take(shape.n_layers);
  rows.sums = take(shape.n_moments + 1);
  rows.moments = take(shape.n_moments + 1);
  rows.total = take(shape.max_group);
  rows.total_code = take(shape.max_group);
  rows.taken = take(shape.max_group);
  rows.taken_code = take(shape.max_group);
  rows.left = take(shape.max_group);
  rows.left_code = take(shape.max_group);
  rows.input = take(shape.context + kLocal);
  rows.head = take(shape.head);
  rows.row = take(shape.n_parameters);
  rows.theta = take(shape.n_parameters * rows.theta_stride);
  rows.terms = take(2 * shape.spline.bins * kPanel);
  return rows;
}

static void start_single(const ShapeView& shape, const ShapeRows& rows, float incident_energy,
                         const float* condition, const float* features, const float* layer_energy,
                         const float* latents) {
  const std::size_t layers = shape.n_layers;
  float* c = rows.condition;
  c[0] = condition[0];
  c[1] = condition[1];
  alignas(64) float energies[kLanes], codes[kLanes], responses[kLanes];
  for (std::size_t l = 0; l < layers; l += kLanes) {
    for (std::size_t i = 0; i < kLanes; ++i) energies[i] = l + i < layers ? layer_energy[l + i] : 0;
    store(codes, encode(shape, load(energies)));
    store(responses, log_response(shape, load(energies), set1(incident_energy)));
    for (std::size_t i = 0; i < kLanes && l + i < layers; ++i) {
      c[2 + l + i] = codes[i];
      c[2 + layers + l + i] = responses[i];
    }
  }
  for (std::size_t q = 0; q < shape.n_features; ++q) c[2 + 2 * layers + q] = features[q];

  for (std::size_t k = 0; k < shape.n_coordinates; ++k) rows.uniform[k] = latents[k];
  for (std::size_t k = 0; k < shape.n_coordinates; k += kLanes) {
    const F z = load(rows.uniform + k);
    store(rows.uniform + k, normal_cdf(z));
    store(rows.rest + k, normal_cdf(-z));
  }
  for (std::size_t l = 0; l < layers; ++l) {
    const float energy = layer_energy[l];
    rows.inverse[l] = 1.0f / (energy > kLeastEnergy ? energy : kLeastEnergy);
  }
  for (std::size_t m = 0; m <= shape.n_moments; ++m) rows.sums[m] = rows.moments[m] = 0.0f;
  for (std::size_t i = 0; i < shape.n_starts; ++i) {
    rows.energy[shape.starts[i].row] = layer_energy[shape.starts[i].layer];
  }
  rows.known[2 * shape.n_known] = 0.0f;

  for (std::size_t o = 0; o < shape.n_hidden; ++o) rows.sum1[o] = shape.bias[0][o];
  for (std::size_t o = 0; o < shape.n_hidden; ++o) rows.sum2[o] = shape.bias[1][o];
  for (std::size_t o = 0; o < shape.n_context; ++o) rows.context[o] = shape.bias[2][o];
  const float* w = shape.weights;
  add_all_rows(w + shape.from_condition[0], c, shape.n_condition, rows.sum1, shape.n_hidden);
  add_all_rows(w + shape.from_condition[1], c, shape.n_condition, rows.sum2, shape.n_hidden);
  add_all_panels(w + shape.from_condition[2], c, shape.n_condition, rows.context, shape.n_context);
}

// Parameters of a group's coordinates into theta, one lane each.
static void heads_single(const ShapeView& shape, const ShapeRows& rows,
                         const ShapeGroupView& group) {
  const std::size_t n_in = shape.context + kLocal, parameters = shape.n_parameters;
  const std::size_t weights = n_in * shape.head + shape.head * parameters;
  for (std::size_t i = 0; i < group.size; ++i) {
    const ShapeCoordinateView& c = shape.coordinates[group.first + i];
    const float* context = rows.context + group.context + i * shape.context;
    for (std::size_t j = 0; j < shape.context; ++j) rows.input[j] = context[j];
    float* local = rows.input + shape.context;
    local[0] = rows.total_code[i];
    for (std::size_t j = 0; j < kNeighbours; ++j) local[1 + j] = rows.known[2 * c.neighbour[j]];
    for (std::size_t j = 0; j < kMoments; ++j) {
      local[1 + kNeighbours + j] = rows.moments[c.moment[j]];
    }
    const float* w = shape.weights + group.heads + i * weights;
    const float* bias = shape.head_bias + (group.first + i) * (shape.head + parameters);
    head_layer<Activation::silu>(w, bias, rows.input, n_in, rows.head, shape.head);
    head_layer<Activation::none>(w + n_in * shape.head, bias + shape.head, rows.head, shape.head,
                                 rows.row, parameters);
    for (std::size_t p = 0; p < parameters; ++p) {
      rows.theta[p * rows.theta_stride + i] = rows.row[p];
    }
  }
}

// Writes a value where the network sees it, as reveal_batch does.
FASTCALOQ_INLINE void reveal_single(const ShapeView& shape, const ShapeRows& rows,
                                    std::size_t value, float energy, float code) {
  const ShapeValueView& v = shape.values[value];
  const float share = energy * rows.inverse[v.layer];
  rows.known[2 * value] = code;
  rows.known[2 * value + 1] = share * kShareScale;
  if (v.moment == shape.n_moments) return;
  float* sums = rows.sums + v.moment;
  const float count = sums[kLayerMoments - 1] + (0.0f < energy ? v.count : 0.0f);
  // Lanes beyond the four sums add nothing to what stands behind them.
  storeu(sums, fma(load(shape.by_share + value * kPanel), set1(share), loadu(sums)));
  sums[kLayerMoments - 1] = count;
}

static void sample_shape_single(const ShapeView& shape, float incident_energy,
                                const float* condition, const float* features,
                                const float* layer_energy, const float* latents,
                                float* voxel_energy, float* scratch) {
  const ShapeRows rows = shape_rows(shape, scratch);
  const std::size_t units = shape.units, hidden = shape.n_hidden;
  start_single(shape, rows, incident_energy, condition, features, layer_energy, latents);

  for (std::size_t g = 0; g < shape.n_groups; ++g) {
    const ShapeGroupView& group = shape.groups[g];
    const ShapeCoordinateView* coordinates = shape.coordinates + group.first;
    const std::size_t own = g * units;
    for (std::size_t j = 0; j < units; j += kLanes) {
      storeu(rows.hidden + j, silu(loadu(rows.sum1 + own + j)));
    }
    add_all_rows(shape.weights + group.from_hidden1, rows.hidden, units, rows.sum2 + own,
                 hidden - own);
    for (std::size_t j = 0; j < units; j += kLanes) {
      storeu(rows.hidden + j, loadu(rows.hidden + j) + silu(loadu(rows.sum2 + own + j)));
    }
    add_all_panels(shape.weights + group.from_hidden2, rows.hidden, units,
                   rows.context + group.context, shape.n_context - group.context);

    for (std::size_t i = 0; i < group.size; ++i) rows.total[i] = rows.energy[coordinates[i].total];
    for (std::size_t i = 0; i < group.size; i += kLanes) {
      store(rows.total_code + i, encode(shape, load(rows.total + i)));
    }
    heads_single(shape, rows, group);
    for (std::size_t i = 0; i < group.size; i += kLanes) {
      F taken, left;
      divide(shape, rows.theta + i, rows.theta_stride, loadu(rows.uniform + group.first + i),
             loadu(rows.rest + group.first + i), load(rows.total + i), taken, left, rows.terms);
      store(rows.taken + i, taken);
      store(rows.left + i, left);
      store(rows.taken_code + i, encode(shape, taken));
      store(rows.left_code + i, encode(shape, left));
    }
    for (std::size_t i = 0; i < group.size; ++i) {
      const ShapeCoordinateView& c = coordinates[i];
      rows.energy[c.taken] = rows.taken[i];
      rows.energy[c.left] = rows.left[i];
      reveal_single(shape, rows, c.known, rows.taken[i], rows.taken_code[i]);
      if (c.last) reveal_single(shape, rows, c.known + 1, rows.left[i], rows.left_code[i]);
    }
    for (std::size_t m = 0; m < (group.moments ? shape.n_moments : 0); m += kLanes) {
      store(rows.moments + m, encode_moment(load(rows.sums + m), load(shape.moment_scale + m)));
    }
    rows.moments[shape.n_moments] = 0.0f;
    add_all_rows(shape.weights + group.from_known, rows.known + 2 * group.known, 2 * group.n_new,
                 rows.sum1 + own + units, hidden - own - units);
  }
  for (std::size_t v = 0; v < shape.n_voxels; ++v) voxel_energy[v] = rows.energy[v];
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
