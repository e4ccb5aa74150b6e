// Showers side by side through the shape flow: group by group, every group's layers as products
// of matrices. The weights lie in memory as the single path reads them; what a product needs is
// gathered first.
#pragma once

#include "dense.hpp"
#include "shape_columns.hpp"
#include "shape_panels.hpp"

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

// y = activation(x W + bias) for kPanel columns or fewer of W, whose rows are listed up to `end`.
template <Activation kActivation>
static void listed_batch(const ShapeColumns& columns, const float** end, std::size_t n_out,
                         const float* bias, const float* x, std::size_t vectors, float* y) {
  gathered_batch<kActivation>(columns.list, end, columns.panel, n_out, bias, x, vectors, y);
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
    const float** end = list_rows(shape.weights + shape.from_condition[0], n_condition, hidden,
                                  own + j, columns.list);
    for (std::size_t s = 0; s < g; ++s) {
      const std::size_t before = (s + 1) * units;
      end = list_rows(shape.weights + shape.groups[s].from_known, 2 * shape.groups[s].n_new,
                      hidden - before, own + j - before, end);
    }
    listed_batch<Activation::silu>(columns, end, panel_width(j, units), shape.bias[0] + own + j,
                                   columns.known, vectors, h1 + j * stride);
  }
  for (std::size_t j = 0; j < units; j += kPanel) {
    const float** end = list_rows(shape.weights + shape.from_condition[1], n_condition, hidden,
                                  own + j, columns.list);
    for (std::size_t s = 0; s <= g; ++s) {
      end = list_rows(shape.weights + shape.groups[s].from_hidden1, units, hidden - s * units,
                      own + j - s * units, end);
    }
    listed_batch<Activation::silu>(columns, end, panel_width(j, units), shape.bias[1] + own + j,
                                   columns.hidden1, vectors, h2 + j * stride);
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
    const float** end = list_panels(shape.weights + shape.from_condition[2], shape.n_condition,
                                    shape.n_context, column, columns.list);
    for (std::size_t s = 0; s <= g; ++s) {
      const ShapeGroupView& from = shape.groups[s];
      end = list_panels(shape.weights + from.from_hidden2, shape.units,
                        shape.n_context - from.context, column - from.context, end);
    }
    listed_batch<Activation::none>(columns, end, panel_width(j, width), shape.bias[2] + column,
                                   columns.hidden2, vectors, columns.context + j * kChunk);
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
    const float** end = list_rows(first, n_in, head, j, columns.list);
    listed_batch<Activation::silu>(columns, end, panel_width(j, head), bias + j, columns.input,
                                   vectors, columns.head + j * stride);
  }
  for (std::size_t j = 0; j < parameters; j += kPanel) {
    const float** end = list_rows(second, head, parameters, j, columns.list);
    listed_batch<Activation::none>(columns, end, panel_width(j, parameters), bias + head + j,
                                   columns.head, vectors, columns.theta + j * stride);
  }
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
