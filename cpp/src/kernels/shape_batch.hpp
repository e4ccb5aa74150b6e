// Showers side by side through the shape flow: group by group, every group's layers as products
// of matrices. The weights lie in memory as the single path reads them; what a product needs is
// first copied into one panel, which costs a few per cent of the product.
#pragma once

#include "dense.hpp"
#include "shape_draw.hpp"
#include "shape_panels.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

// Scratch of a chunk: rows of kChunk showers, and one panel of weights.
struct ShapeColumns {
  float* known;    // [n_condition + 2 n_known + 1], the condition, the known values, a zero
  float* hidden1;  // [n_condition + n_hidden]
  float* hidden2;  // [n_condition + n_hidden]
  float* energy;   // [n_energies]
  float* inverse;  // [n_layers], 1 / MeV
  float* sums;     // [n_moments]
  float* moments;  // [n_moments + 1], encoded, of what earlier groups revealed; a zero
  float* context;  // [max_group * context rounded up to kPanel]
  float* input;    // [context + kLocal]
  float* head;     // [head]
  float* theta;    // [n_parameters]
  float* panel;    // [n_condition + max(n_known, n_hidden, ...)][kPanel]
  float* terms;    // [2 * bins * kPanel]
};

static ShapeColumns shape_columns(const ShapeView& shape, float* scratch) {
  ShapeColumns c;
  const auto take = [&scratch](std::size_t rows) {
    float* row = scratch;
    scratch += rows * kChunk;
    return row;
  };
  const std::size_t context = (shape.max_group * shape.context + kPanel - 1) / kPanel * kPanel;
  c.known = take(shape.n_condition + 2 * shape.n_known + 1);
  c.hidden1 = take(shape.n_condition + shape.n_hidden);
  c.hidden2 = take(shape.n_condition + shape.n_hidden);
  c.energy = take(shape.n_energies);
  c.inverse = take(shape.n_layers);
  c.sums = take(shape.n_moments);
  c.moments = take(shape.n_moments + 1);
  c.context = take(context);
  c.input = take(shape.context + kLocal);
  c.head = take(shape.head);
  c.theta = take(shape.n_parameters);
  c.terms = scratch;
  c.panel = c.terms + 2 * shape.spline.bins * kPanel;
  return c;
}

static void start_batch(const ShapeView& shape, const ShapeColumns& columns,
                        const float* incident_energy, const float* condition, const float* features,
                        const float* layer_energy, std::size_t n, std::size_t padded) {
  constexpr std::size_t stride = kChunk;
  const std::size_t layers = shape.n_layers;
  float* c = columns.known;
  alignas(64) float energies[kLanes], incident[kLanes];
  for (std::size_t first = 0; first < padded; first += kLanes) {
    // The lanes beyond n repeat the last shower.
    const auto shower = [&](std::size_t i) { return first + i < n ? first + i : n - 1; };
    for (std::size_t i = 0; i < kLanes; ++i) {
      const std::size_t s = shower(i);
      incident[i] = incident_energy[s];
      c[first + i] = condition[2 * s];
      c[stride + first + i] = condition[2 * s + 1];
      for (std::size_t q = 0; q < shape.n_features; ++q) {
        c[(2 + 2 * layers + q) * stride + first + i] = features[s * shape.n_features + q];
      }
    }
    for (std::size_t l = 0; l < layers; ++l) {
      for (std::size_t i = 0; i < kLanes; ++i) energies[i] = layer_energy[shower(i) * layers + l];
      const F energy = load(energies);
      store(columns.inverse + l * stride + first, set1(1.0f) / max(set1(kLeastEnergy), energy));
      store(c + (2 + l) * stride + first, encode(shape, energy));
      store(c + (2 + layers + l) * stride + first, log_response(shape, energy, load(incident)));
    }
    for (std::size_t k = 0; k < shape.n_starts; ++k) {
      for (std::size_t i = 0; i < kLanes; ++i) {
        columns.energy[shape.starts[k].row * stride + first + i] =
            layer_energy[shower(i) * layers + shape.starts[k].layer];
      }
    }
    store(c + (shape.n_condition + 2 * shape.n_known) * stride + first, set1(0.0f));
    for (std::size_t m = 0; m < shape.n_moments; ++m) {
      store(columns.sums + m * stride + first, set1(0.0f));
    }
    for (std::size_t m = 0; m <= shape.n_moments; ++m) {
      store(columns.moments + m * stride + first, set1(0.0f));
    }
  }
  for (std::size_t i = 0; i < shape.n_condition * stride; ++i) {
    columns.hidden1[i] = columns.hidden2[i] = c[i];
  }
}

// y = activation(x W + bias) for kPanel columns or fewer of W, which lie in columns.panel.
template <Activation kActivation>
static void panel_batch(const ShapeColumns& columns, std::size_t n_in, std::size_t n_out,
                        const float* bias, const float* x, std::size_t vectors, float* y) {
  const LinearView layer = {n_in, n_out, columns.panel, bias, kActivation};
  dense_batch_as<kActivation>(layer, x, kChunk, vectors, y);
}

FASTCALOQ_INLINE std::size_t panel_width(std::size_t column, std::size_t n_out) {
  return n_out - column < kPanel ? n_out - column : kPanel;
}

// The group's hidden units of both layers.
static void hidden_batch(const ShapeView& shape, const ShapeColumns& columns, std::size_t g,
                         std::size_t vectors) {
  constexpr std::size_t stride = kChunk;
  const std::size_t units = shape.units, hidden = shape.n_hidden, n_condition = shape.n_condition;
  const std::size_t own = g * units;
  float* h1 = columns.hidden1 + (n_condition + own) * stride;
  float* h2 = columns.hidden2 + (n_condition + own) * stride;
  for (std::size_t j = 0; j < units; j += kPanel) {
    float* end = copy_rows(shape.weights + shape.from_condition[0], n_condition, hidden, own + j,
                           columns.panel);
    for (std::size_t s = 0; s < g; ++s) {
      const std::size_t before = (s + 1) * units;
      end = copy_rows(shape.weights + shape.groups[s].from_known, 2 * shape.groups[s].n_new,
                      hidden - before, own + j - before, end);
    }
    panel_batch<Activation::silu>(columns, n_condition + 2 * shape.groups[g].known,
                                  panel_width(j, units), shape.bias[0] + own + j, columns.known,
                                  vectors, h1 + j * stride);
  }
  for (std::size_t j = 0; j < units; j += kPanel) {
    float* end = copy_rows(shape.weights + shape.from_condition[1], n_condition, hidden, own + j,
                           columns.panel);
    for (std::size_t s = 0; s <= g; ++s) {
      end = copy_rows(shape.weights + shape.groups[s].from_hidden1, units, hidden - s * units,
                      own + j - s * units, end);
    }
    panel_batch<Activation::silu>(columns, n_condition + own + units, panel_width(j, units),
                                  shape.bias[1] + own + j, columns.hidden1, vectors,
                                  h2 + j * stride);
  }
  for (std::size_t j = 0; j < units; ++j) {
    for (std::size_t i = 0; i < vectors * kLanes; i += kLanes) {
      const std::size_t at = j * stride + i;
      store(h2 + at, load(h1 + at) + load(h2 + at));
    }
  }
}

static void context_batch(const ShapeView& shape, const ShapeColumns& columns, std::size_t g,
                          std::size_t vectors) {
  const ShapeGroupView& group = shape.groups[g];
  const std::size_t width = group.size * shape.context;
  for (std::size_t j = 0; j < width; j += kPanel) {
    const std::size_t column = group.context + j;
    float* end = copy_panels(shape.weights + shape.from_condition[2], shape.n_condition,
                             shape.n_context, column, columns.panel);
    for (std::size_t s = 0; s <= g; ++s) {
      const ShapeGroupView& from = shape.groups[s];
      end = copy_panels(shape.weights + from.from_hidden2, shape.units,
                        shape.n_context - from.context, column - from.context, end);
    }
    panel_batch<Activation::none>(columns, shape.n_condition + (g + 1) * shape.units,
                                  panel_width(j, width), shape.bias[2] + column, columns.hidden2,
                                  vectors, columns.context + j * kChunk);
  }
}

// Parameters of one coordinate from its context and its local features.
static void head_batch(const ShapeView& shape, const ShapeColumns& columns, std::size_t g,
                       std::size_t index, std::size_t vectors) {
  constexpr std::size_t stride = kChunk;
  const ShapeGroupView& group = shape.groups[g];
  const ShapeCoordinateView& c = shape.coordinates[group.first + index];
  const std::size_t context = shape.context, n_in = context + kLocal, head = shape.head;
  const std::size_t parameters = shape.n_parameters;
  const float* known = columns.known + shape.n_condition * stride;
  for (std::size_t i = 0; i < vectors * kLanes; i += kLanes) {
    for (std::size_t j = 0; j < context; ++j) {
      store(columns.input + j * stride + i,
            load(columns.context + (index * context + j) * stride + i));
    }
    store(columns.input + context * stride + i,
          encode(shape, load(columns.energy + c.total * stride + i)));
    for (std::size_t j = 0; j < kNeighbours; ++j) {
      store(columns.input + (context + 1 + j) * stride + i,
            load(known + 2 * c.neighbour[j] * stride + i));
    }
    for (std::size_t j = 0; j < kMoments; ++j) {
      store(columns.input + (context + 1 + kNeighbours + j) * stride + i,
            load(columns.moments + c.moment[j] * stride + i));
    }
  }
  const float* first = shape.weights + group.heads + index * (n_in * head + head * parameters);
  const float* second = first + n_in * head;
  const float* bias = shape.head_bias + (group.first + index) * (head + parameters);
  for (std::size_t j = 0; j < head; j += kPanel) {
    copy_rows(first, n_in, head, j, columns.panel);
    panel_batch<Activation::silu>(columns, n_in, panel_width(j, head), bias + j, columns.input,
                                  vectors, columns.head + j * stride);
  }
  for (std::size_t j = 0; j < parameters; j += kPanel) {
    copy_rows(second, head, parameters, j, columns.panel);
    panel_batch<Activation::none>(columns, head, panel_width(j, parameters), bias + head + j,
                                  columns.head, vectors, columns.theta + j * stride);
  }
}

// Writes value `value`, `energy` in the vector at i, where the network sees it.
FASTCALOQ_INLINE void reveal_batch(const ShapeView& shape, const ShapeColumns& columns,
                                   std::size_t value, F energy, std::size_t i) {
  constexpr std::size_t stride = kChunk;
  const ShapeValueView& v = shape.values[value];
  const F share = energy * load(columns.inverse + v.layer * stride + i);
  float* known = columns.known + (shape.n_condition + 2 * value) * stride + i;
  store(known, encode(shape, energy));
  store(known + stride, share * set1(kShareScale));
  if (v.moment == shape.n_moments) return;
  float* sums = columns.sums + v.moment * stride + i;
  const float* by_share = shape.by_share + value * kPanel;
  for (std::size_t m = 0; m + 1 < kLayerMoments; ++m) {
    store(sums + m * stride, fma(set1(by_share[m]), share, load(sums + m * stride)));
  }
  float* count = sums + (kLayerMoments - 1) * stride;
  store(count, load(count) + select(set1(0.0f) < energy, set1(v.count), set1(0.0f)));
}

// At most kChunk showers.
static void sample_shape_batch(const ShapeView& shape, const float* incident_energy,
                               const float* condition, const float* features,
                               const float* layer_energy, const float* latents, float* voxel_energy,
                               std::size_t n, float* scratch) {
  constexpr std::size_t stride = kChunk;
  const ShapeColumns columns = shape_columns(shape, scratch);
  const std::size_t vectors = (n + kLanes - 1) / kLanes;
  start_batch(shape, columns, incident_energy, condition, features, layer_energy, n,
              vectors * kLanes);
  alignas(64) float normal[kLanes];
  for (std::size_t g = 0; g < shape.n_groups; ++g) {
    hidden_batch(shape, columns, g, vectors);
    context_batch(shape, columns, g, vectors);
    const ShapeGroupView& group = shape.groups[g];
    for (std::size_t index = 0; index < group.size; ++index) {
      head_batch(shape, columns, g, index, vectors);
      const std::size_t k = group.first + index;
      const ShapeCoordinateView& c = shape.coordinates[k];
      for (std::size_t i = 0; i < vectors * kLanes; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
          const std::size_t s = i + lane < n ? i + lane : n - 1;
          normal[lane] = latents[s * shape.n_coordinates + k];
        }
        F taken, left;
        const F z = load(normal);
        divide(shape, columns.theta + i, stride, normal_cdf(z), normal_cdf(-z),
               load(columns.energy + c.total * stride + i), taken, left, columns.terms);
        store(columns.energy + c.taken * stride + i, taken);
        store(columns.energy + c.left * stride + i, left);
        reveal_batch(shape, columns, c.known, taken, i);
        if (c.last) reveal_batch(shape, columns, c.known + 1, left, i);
      }
    }
    for (std::size_t m = 0; m < (group.moments ? shape.n_moments : 0); ++m) {
      for (std::size_t i = 0; i < vectors * kLanes; i += kLanes) {
        store(columns.moments + m * stride + i,
              encode_moment(load(columns.sums + m * stride + i), set1(shape.moment_scale[m])));
      }
    }
  }
  for (std::size_t first = 0; first < n; first += kPanel) {
    const std::size_t count = n - first < kPanel ? n - first : kPanel;
    for (std::size_t v = 0; v < shape.n_voxels; ++v) {
      const float* row = columns.energy + v * stride + first;
      float* out = voxel_energy + first * shape.n_voxels + v;
      for (std::size_t i = 0; i < count; ++i) out[i * shape.n_voxels] = row[i];
    }
  }
}

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
