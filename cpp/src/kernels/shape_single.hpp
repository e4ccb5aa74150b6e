// One shower through the shape flow. Its cost is to read the weights once, hence: as soon as a
// value is known it is added, times its weights, to everything later that depends on it. The
// outputs are in the lanes, none waits for another, and the weights are read from front to back
// as they lie in memory. Every output still sums its inputs in ascending order, as in the batch
// path.
#pragma once

#include "shape_draw.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

// sum[o] += sum_i x[i] weight[i * row + o] for o < n, and garbage up to the next vector's end.
template <std::size_t kInputs>
static void add_rows(const float* weight, std::size_t row, const float* x, float* sum,
                     std::size_t n) {
  F input[kInputs];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kInputs; ++i) input[i] = set1(x[i]);
  for (std::size_t o = 0; o < n; o += kLanes) {
    F total = loadu(sum + o);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kInputs; ++i) {
      total = fma(loadu(weight + i * row + o), input[i], total);
    }
    storeu(sum + o, total);
  }
}

// The same with weight [n / kPanel][kInputs][kPanel].
template <std::size_t kInputs>
static void add_panels(const float* weight, const float* x, float* sum, std::size_t n) {
  F input[kInputs];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kInputs; ++i) input[i] = set1(x[i]);
  for (std::size_t o = 0; o < n; o += kPanel) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kPanel; v += kLanes) {
      F total = load(sum + o + v);
#pragma GCC unroll 8
      for (std::size_t i = 0; i < kInputs; ++i) {
        total = fma(load(weight + i * kPanel + v), input[i], total);
      }
      store(sum + o + v, total);
    }
    weight += kInputs * kPanel;
  }
}

#define FASTCALOQ_FOR_INPUTS(count, call) \
  switch (count) {                        \
    case 1:                               \
      call(1);                            \
      break;                              \
    case 2:                               \
      call(2);                            \
      break;                              \
    case 3:                               \
      call(3);                            \
      break;                              \
    case 4:                               \
      call(4);                            \
      break;                              \
    case 5:                               \
      call(5);                            \
      break;                              \
    case 6:                               \
      call(6);                            \
      break;                              \
    case 7:                               \
      call(7);                            \
      break;                              \
    default:                              \
      call(8);                            \
  }

static void add_all_rows(const float* weight, const float* x, std::size_t n_in, float* sum,
                         std::size_t n_out) {
  for (std::size_t i = 0; i < n_in; i += kSlice) {
    const float* w = weight + i * n_out;
#define FASTCALOQ_CALL(n) add_rows<n>(w, n_out, x + i, sum, n_out)
    FASTCALOQ_FOR_INPUTS(n_in - i, FASTCALOQ_CALL)
#undef FASTCALOQ_CALL
  }
}

static void add_all_panels(const float* weight, const float* x, std::size_t n_in, float* sum,
                           std::size_t n_out) {
  for (std::size_t i = 0; i < n_in; i += kSlice) {
    const float* w = weight + i * n_out;
#define FASTCALOQ_CALL(n) add_panels<n>(w, x + i, sum, n_out)
    FASTCALOQ_FOR_INPUTS(n_in - i, FASTCALOQ_CALL)
#undef FASTCALOQ_CALL
  }
}
#undef FASTCALOQ_FOR_INPUTS

// y[o] = activation(bias[o] + sum_k x[k] weight[k * row + o]), o < kVectors * kLanes.
template <std::size_t kVectors, Activation kActivation>
static void head_vectors(const float* weight, std::size_t row, const float* bias, const float* x,
                         std::size_t n_in, float* y) {
  F sum[kVectors];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVectors; ++v) sum[v] = loadu(bias + v * kLanes);
  for (std::size_t k = 0; k < n_in; ++k) {
    const F input = set1(x[k]);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) {
      sum[v] = fma(loadu(weight + k * row + v * kLanes), input, sum[v]);
    }
  }
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVectors; ++v) storeu(y + v * kLanes, activate<kActivation>(sum[v]));
}

// One layer of a coordinate's head, weight [n_in, n_out]; garbage up to the last vector's end.
template <Activation kActivation>
static void head_layer(const float* weight, const float* bias, const float* x, std::size_t n_in,
                       float* y, std::size_t n_out) {
  for (std::size_t o = 0; o < n_out; o += 4 * kLanes) {
    switch ((n_out - o + kLanes - 1) / kLanes) {
      case 1:
        head_vectors<1, kActivation>(weight + o, n_out, bias + o, x, n_in, y + o);
        break;
      case 2:
        head_vectors<2, kActivation>(weight + o, n_out, bias + o, x, n_in, y + o);
        break;
      case 3:
        head_vectors<3, kActivation>(weight + o, n_out, bias + o, x, n_in, y + o);
        break;
      default:
        head_vectors<4, kActivation>(weight + o, n_out, bias + o, x, n_in, y + o);
    }
  }
}

// Rows of one shower's scratch; each may be written up to kPanel floats beyond its end.
struct ShapeRows {
  float* condition;   // [n_condition]
  float* sum1;        // [n_hidden], the first hidden units before activation
  float* sum2;        // [n_hidden], likewise the second
  float* context;     // [n_context], starts on a cache line
  float* hidden;      // [units]
  float* uniform;     // [n_coordinates]
  float* known;       // [n_known + 1], a zero behind the last
  float* energy;      // [n_energies]
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
  rows.known = take(shape.n_known + 1);
  rows.energy = take(shape.n_energies);
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
    store(rows.uniform + k, normal_cdf(load(rows.uniform + k)));
  }
  for (std::size_t i = 0; i < shape.n_starts; ++i) {
    rows.energy[shape.starts[i].row] = layer_energy[shape.starts[i].layer];
  }
  rows.known[shape.n_known] = 0.0f;

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
    for (std::size_t j = 0; j < kNeighbours; ++j) local[1 + j] = rows.known[c.neighbour[j]];
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
             load(rows.total + i), taken, left, rows.terms);
      store(rows.taken + i, taken);
      store(rows.left + i, left);
      store(rows.taken_code + i, encode(shape, taken));
      store(rows.left_code + i, encode(shape, left));
    }
    for (std::size_t i = 0; i < group.size; ++i) {
      const ShapeCoordinateView& c = coordinates[i];
      rows.energy[c.taken] = rows.taken[i];
      rows.energy[c.left] = rows.left[i];
      rows.known[c.known] = rows.taken_code[i];
      if (c.last) rows.known[c.known + 1] = rows.left_code[i];
    }
    add_all_rows(shape.weights + group.from_known, rows.known + group.known, group.n_new,
                 rows.sum1 + own + units, hidden - own - units);
  }
  for (std::size_t v = 0; v < shape.n_voxels; ++v) voxel_energy[v] = rows.energy[v];
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
