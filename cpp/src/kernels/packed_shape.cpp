// Packs a shape flow: lays its weights out in the order in which one shower needs them.
#include <algorithm>

#include "aligned.hpp"
#include "engine.hpp"
#include "packing.hpp"
#include "shape_writer.hpp"

namespace fastcaloq::kernels {

struct PackedShape::Storage {
  Arena arena;
  ShapeOrder order;
  std::vector<ShapeGroupView> groups;
  std::vector<ShapeValueView> values;
  ShapeView view;
  std::size_t multiply_adds = 0;
  std::size_t workspace_floats = 0;

  void describe(const ShapeParameters& p);
  void describe_moments(const ShapeParameters& p);
  std::size_t lay_out();
  void measure();
};

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
  describe_moments(p);
}

// Which moments a coordinate sees, and which a known value belongs to.
void PackedShape::Storage::describe_moments(const ShapeParameters& p) {
  std::vector<std::size_t> first(p.layers.size());  // row of a layer's first moment
  for (std::size_t l = 0; l < p.layers.size(); ++l) {
    first[l] = view.n_moments;
    if (p.layers[l].n_alpha > 1) view.n_moments += kLayerMoments;
  }
  for (const ShapeValue& value : order.values) {
    const ShapeLayer& layer = p.layers[value.layer];
    ShapeValueView v;
    v.layer = static_cast<std::uint32_t>(value.layer);
    v.moment = static_cast<std::uint32_t>(value.alpha ? first[value.layer] : view.n_moments);
    v.count = static_cast<float>(1.0 / static_cast<double>(layer.n_rings * layer.n_alpha));
    values.push_back(v);
  }
  for (ShapeGroupView& group : groups) {
    for (std::size_t i = 0; i < group.n_new; ++i) {
      if (values[group.known + i].moment < view.n_moments) group.moments = 1;
    }
  }
  const std::size_t nothing = view.n_moments;
  for (ShapeCoordinateView& c : order.coordinates) {
    const std::size_t own = values[c.known].moment;
    const bool alone = own == nothing || own == 0;  // no layer with bins in alpha before it
    for (std::size_t j = 0; j < kLayerMoments; ++j) {
      c.moment[j] = static_cast<std::uint32_t>(own == nothing ? nothing : own + j);
    }
    constexpr std::size_t seen[] = {0, 1, 4};  // of the layer before: where its centre is, how full
    for (std::size_t j = 0; j < 3; ++j) {
      c.moment[kLayerMoments + j] =
          static_cast<std::uint32_t>(alone ? nothing : own - kLayerMoments + seen[j]);
    }
  }
  view.values = values.data();
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
    group.from_known = place(2 * group.n_new, view.n_hidden - (g + 1) * view.units);
  }
  return end + kPanel;
}

// Multiply-adds, and scratch of sample_shape_batch and sample_shape_single, whichever is larger.
void PackedShape::Storage::measure() {
  const std::size_t seen = view.n_coordinates * view.context;
  multiply_adds = view.n_condition * (2 * view.n_hidden + seen);
  for (std::size_t g = 0; g < view.n_groups; ++g) {
    const std::size_t before = (g + 1) * view.units;
    multiply_adds += (2 * groups[g].known + before) * view.units;
    multiply_adds += before * groups[g].size * view.context;
  }
  multiply_adds +=
      view.n_coordinates * ((view.context + kLocal) * view.head + view.head * view.n_parameters);

  const std::size_t terms = 2 * view.spline.bins * kPanel;
  const std::size_t input = view.context + kLocal;
  const std::size_t most_seen = view.n_condition + std::max(2 * view.n_known, view.n_hidden);
  const std::size_t rows = 3 * view.n_condition + 2 * view.n_known + 1 + 2 * view.n_hidden +
                           view.n_energies + round_up(view.max_group * view.context, kPanel) +
                           view.n_layers + 2 * view.n_moments + 1 + input + view.head +
                           view.n_parameters;
  view.max_inputs = std::max({most_seen, input, view.head});
  const std::size_t batch = rows * kChunk + terms + view.max_inputs * kPanel +
                            2 * (view.max_inputs + kPrefetched);  // pointers
  constexpr std::size_t n_rows = 24;  // each rounded up and followed by a panel
  const std::size_t single =
      view.n_condition + 2 * view.n_hidden + view.n_context + view.units + 2 * view.n_coordinates +
      2 * view.n_known + 1 + view.n_energies + view.n_layers + 2 * view.n_moments + 2 +
      6 * view.max_group + input + view.head + view.n_parameters +
      view.n_parameters * round_up(view.max_group, kPanel) + terms + n_rows * 2 * kPanel;
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
  const std::size_t n_scales = s.view.n_moments + kPanel;
  s.arena.reserve(s.view.n_known * kPanel);
  s.arena.reserve(n_scales);
  s.arena.allocate();

  float* weights = s.arena.take(n_weights);
  float* bias[3];
  for (std::size_t i = 0; i < 3; ++i) s.view.bias[i] = bias[i] = s.arena.take(biases[i]);
  float* head_bias = s.arena.take(n_head_bias);
  s.view.weights = weights;
  s.view.head_bias = head_bias;
  float* by_share = s.arena.take(s.view.n_known * kPanel);
  float* moment_scale = s.arena.take(n_scales);
  s.view.by_share = by_share;
  s.view.moment_scale = moment_scale;
  write_moments(p, s.order, s.view, by_share, moment_scale);
  for (std::size_t i = 0; i < 2; ++i) {
    std::copy(p.condition_bias[i].begin(), p.condition_bias[i].end(), bias[i]);
  }
  for (const ShapeGroupView& group : s.groups) {
    std::copy_n(p.condition_bias[2].data() + group.first * p.context, group.size * p.context,
                bias[2] + group.context);
  }
  ShapeWriter writer(p, s.view, weights, head_bias);
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
