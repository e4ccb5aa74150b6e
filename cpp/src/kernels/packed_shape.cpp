// Packs a shape flow: lays its weights out in the order in which one shower needs them.
//
// The files hold, for every group, the weights from all it sees; here lie, for every group, the
// weights to all that sees it.
#include <algorithm>

#include "aligned.hpp"
#include "engine.hpp"
#include "packing.hpp"

namespace fastcaloq::kernels {

struct PackedShape::Storage {
  Arena arena;
  ShapeOrder order;
  std::vector<ShapeGroupView> groups;
  ShapeView view;
  std::size_t multiply_adds = 0;
  std::size_t workspace_floats = 0;

  void describe(const ShapeParameters& p);
  std::size_t lay_out();
  void measure();
};

namespace {

// Writes the weights of some inputs block by block.
class Writer {
 public:
  Writer(const ShapeParameters& p, const ShapeView& view, float* weights, float* head_bias)
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
        rows(source.from_known, source.n_new, hidden - before, to * units - before,
             from.hidden1_weight.data() + source.known * units);
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

}  // namespace

void PackedShape::Storage::describe(const ShapeParameters& p) {
  view.n_layers = p.layers.size();
  view.n_features = p.n_features;
  view.n_condition = 2 + 2 * p.layers.size() + p.n_features;
  view.n_voxels = order.n_voxels;
  view.n_coordinates = order.coordinates.size();
  view.n_groups = order.groups.size();
  view.n_known = order.n_known;
  view.n_energies = order.n_energies;
  view.n_starts = order.starts.size();
  view.units = p.units;
  view.n_hidden = p.units * view.n_groups;
  view.context = p.context;
  view.head = p.head;
  view.n_parameters = 4 + 3 * p.bins - 1;
  view.coordinates = order.coordinates.data();
  view.starts = order.starts.data();
  pack_elementwise(elementwise(p), view.spline);
  view.energy_scale = static_cast<float>(p.energy_scale);
  view.inverse_energy_scale = static_cast<float>(1.0 / p.energy_scale);
  for (std::size_t g = 0; g < view.n_groups; ++g) {
    ShapeGroupView group;
    group.first = order.groups[g].first;
    group.size = order.groups[g].size;
    group.known = order.groups[g].n_known;
    const bool last = g + 1 == view.n_groups;
    group.n_new = (last ? order.n_known : order.groups[g + 1].n_known) - group.known;
    group.context = view.n_context;
    view.n_context += round_up(group.size * p.context, kPanel);
    view.max_group = std::max(view.max_group, group.size);
    groups.push_back(group);
  }
  view.groups = groups.data();
}

// Places of the blocks; returns how long the stream of weights is.
std::size_t PackedShape::Storage::lay_out() {
  std::size_t end = 0;
  const auto place = [&](std::size_t n_in, std::size_t n_out) {
    const std::size_t start = end;
    end += round_up(n_in * n_out, kPanel);
    return start;
  };
  const std::size_t widths[] = {view.n_hidden, view.n_hidden, view.n_context};
  for (std::size_t i = 0; i < 3; ++i) view.from_condition[i] = place(view.n_condition, widths[i]);
  const std::size_t head = (view.context + kLocal) * view.head + view.head * view.n_parameters;
  for (std::size_t g = 0; g < view.n_groups; ++g) {
    ShapeGroupView& group = groups[g];
    group.from_hidden1 = place(view.units, view.n_hidden - g * view.units);
    group.from_hidden2 = place(view.units, view.n_context - group.context);
    group.heads = place(group.size, head);
    group.from_known = place(group.n_new, view.n_hidden - (g + 1) * view.units);
  }
  return end + kPanel;
}

// Multiply-adds, and scratch of sample_shape_batch and sample_shape_single, whichever is larger.
void PackedShape::Storage::measure() {
  const std::size_t seen = view.n_coordinates * view.context;
  multiply_adds = view.n_condition * (2 * view.n_hidden + seen);
  for (std::size_t g = 0; g < view.n_groups; ++g) {
    const std::size_t before = (g + 1) * view.units;
    multiply_adds += (groups[g].known + before) * view.units;
    multiply_adds += before * groups[g].size * view.context;
  }
  multiply_adds +=
      view.n_coordinates * ((view.context + kLocal) * view.head + view.head * view.n_parameters);

  const std::size_t terms = 2 * view.spline.bins * kPanel;
  const std::size_t input = view.context + kLocal;
  const std::size_t most_seen = view.n_condition + std::max(view.n_known, view.n_hidden);
  const std::size_t rows = 3 * view.n_condition + view.n_known + 1 + 2 * view.n_hidden +
                           view.n_energies + round_up(view.max_group * view.context, kPanel) +
                           input + view.head + view.n_parameters;
  const std::size_t batch =
      rows * kChunk + terms + std::max({most_seen, input, view.head}) * kPanel;
  constexpr std::size_t n_rows = 20;  // each rounded up and followed by a panel
  const std::size_t single = view.n_condition + 2 * view.n_hidden + view.n_context + view.units +
                             view.n_coordinates + view.n_known + 1 + view.n_energies +
                             6 * view.max_group + input + view.head + view.n_parameters +
                             view.n_parameters * round_up(view.max_group, kPanel) + terms +
                             n_rows * 2 * kPanel;
  workspace_floats = std::max(batch, single);
}

PackedShape::PackedShape(const ShapeParameters& p) : storage_(std::make_unique<Storage>()) {
  Storage& s = *storage_;
  s.order = shape_order(p.layers, p.stride, p.offset);
  check_parameters(p, s.order);
  s.describe(p);
  const std::size_t n_weights = s.lay_out();
  const std::size_t n_head_bias = s.view.n_coordinates * (p.head + s.view.n_parameters) + kPanel;
  const std::size_t biases[] = {s.view.n_hidden, s.view.n_hidden, s.view.n_context};
  s.arena.reserve(n_weights);
  for (const std::size_t n : biases) s.arena.reserve(n);
  s.arena.reserve(n_head_bias);
  s.arena.allocate();

  float* weights = s.arena.take(n_weights);
  float* bias[3];
  for (std::size_t i = 0; i < 3; ++i) s.view.bias[i] = bias[i] = s.arena.take(biases[i]);
  float* head_bias = s.arena.take(n_head_bias);
  s.view.weights = weights;
  s.view.head_bias = head_bias;
  for (std::size_t i = 0; i < 2; ++i) {
    std::copy(p.condition_bias[i].begin(), p.condition_bias[i].end(), bias[i]);
  }
  for (const ShapeGroupView& group : s.groups) {
    std::copy_n(p.condition_bias[2].data() + group.first * p.context, group.size * p.context,
                bias[2] + group.context);
  }
  Writer writer(p, s.view, weights, head_bias);
  writer.condition();
  for (std::size_t g = 0; g < s.view.n_groups; ++g) writer.group(g);
  s.measure();
}

PackedShape::PackedShape(PackedShape&&) noexcept = default;
PackedShape& PackedShape::operator=(PackedShape&&) noexcept = default;
PackedShape::~PackedShape() = default;
const ShapeView& PackedShape::view() const noexcept {
  return storage_->view;
}
std::size_t PackedShape::bytes() const noexcept {
  return storage_->arena.bytes();
}
std::size_t PackedShape::multiply_adds() const noexcept {
  return storage_->multiply_adds;
}
std::size_t PackedShape::workspace_floats() const noexcept {
  return storage_->workspace_floats;
}

}  // namespace fastcaloq::kernels
