#include "packing.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <utility>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace fastcaloq::kernels {

void* allocate_bytes(std::size_t bytes) {
  constexpr std::size_t large_page = std::size_t{1} << 21;
  const std::size_t alignment = bytes < 2 * large_page ? kAlignment : large_page;
  const std::size_t size = round_up(std::max<std::size_t>(bytes, 1), alignment);
  void* data = std::aligned_alloc(alignment, size);
  if (data == nullptr) throw std::bad_alloc();
#if defined(__linux__)
  if (alignment == large_page) madvise(data, size, MADV_HUGEPAGE);  // a wish, which may be refused
#endif
  return data;
}

void free_bytes(void* data) noexcept {
  std::free(data);
}

float* allocate_floats(std::size_t n) {
  const std::size_t size = round_up(std::max<std::size_t>(n, 1), kAlignment / sizeof(float));
  auto* data = static_cast<float*>(allocate_bytes(size * sizeof(float)));
  std::fill(data, data + size, 0.0f);
  return data;
}

void free_floats(float* data) noexcept {
  free_bytes(data);
}

void check_layer(const MlpLayer& layer, const std::string& what) {
  if (layer.n_in == 0 || layer.n_out == 0 || layer.weight.size() != layer.n_in * layer.n_out ||
      layer.bias.size() != layer.n_out) {
    throw std::invalid_argument(what + ": a weight of " + std::to_string(layer.weight.size()) +
                                " and a bias of " + std::to_string(layer.bias.size()) +
                                " numbers do not make a layer of " + std::to_string(layer.n_in) +
                                " inputs and " + std::to_string(layer.n_out) + " outputs");
  }
}

void pack_elementwise(const CouplingBlock& block, BlockView& view) {
  view.kind = block.kind;
  view.log_scale_bound = static_cast<float>(block.log_scale_bound);
  if (block.kind == CouplingKind::affine) return;
  view.bins = block.bins;
  view.tail_bound = static_cast<float>(block.tail_bound);
  view.min_bin_width = static_cast<float>(block.min_bin_width);
  view.min_bin_height = static_cast<float>(block.min_bin_height);
  view.min_derivative = static_cast<float>(block.min_derivative);
  view.derivative_offset = static_cast<float>(std::log(std::expm1(1.0 - block.min_derivative)));
}

std::size_t monomials(std::size_t inputs, std::size_t degree) {
  return degree == 1 ? inputs : inputs + inputs * (inputs + 1) / 2;
}

void reserve_layer(Arena& arena, const MlpLayer& layer) {
  arena.reserve(round_up(layer.n_out, kPanel) * layer.n_in);
  arena.reserve(round_up(layer.n_out, kPanel));
}

LinearView pack_layer(Arena& arena, const MlpLayer& layer, Activation activation) {
  float* weight = arena.take(round_up(layer.n_out, kPanel) * layer.n_in);
  float* bias = arena.take(round_up(layer.n_out, kPanel));
  for (std::size_t k = 0; k < layer.n_in; ++k) {
    for (std::size_t o = 0; o < layer.n_out; ++o) {
      weight[(o / kPanel * layer.n_in + k) * kPanel + o % kPanel] =
          layer.weight[k * layer.n_out + o];
    }
  }
  std::copy(layer.bias.begin(), layer.bias.end(), bias);
  return {layer.n_in, layer.n_out, weight, bias, activation};
}

struct PackedMlp::Storage {
  Arena arena;
  std::vector<LinearView> layers;
  std::size_t max_width = 0;
};

PackedMlp::PackedMlp(const std::vector<MlpLayer>& layers, Activation activation,
                     Activation last_activation)
    : storage_(std::make_unique<Storage>()) {
  Storage& s = *storage_;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    check_layer(layers[i], "layer " + std::to_string(i));
    if (i > 0 && layers[i].n_in != layers[i - 1].n_out) {
      throw std::invalid_argument(
          "layer " + std::to_string(i) + " takes " + std::to_string(layers[i].n_in) +
          " inputs but the one before gives " + std::to_string(layers[i - 1].n_out));
    }
    reserve_layer(s.arena, layers[i]);
    s.max_width = std::max(s.max_width, layers[i].n_out);
  }
  s.arena.allocate();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    s.layers.push_back(
        pack_layer(s.arena, layers[i], i + 1 < layers.size() ? activation : last_activation));
  }
}

PackedMlp::PackedMlp(PackedMlp&&) noexcept = default;
PackedMlp& PackedMlp::operator=(PackedMlp&&) noexcept = default;
PackedMlp::~PackedMlp() = default;
const LinearView* PackedMlp::layers() const noexcept {
  return storage_->layers.data();
}
std::size_t PackedMlp::size() const noexcept {
  return storage_->layers.size();
}
std::size_t PackedMlp::max_width() const noexcept {
  return storage_->max_width;
}

struct PackedTable::Storage {
  Arena arena;
  TableView view;
};

PackedTable::PackedTable(const std::vector<float>& values, std::size_t n_energy, std::size_t n_eta,
                         std::size_t n_features, double log_energy_low, double log_energy_high,
                         double eta_low, double eta_high)
    : storage_(std::make_unique<Storage>()) {
  if (n_energy < 4 || (n_eta != 1 && n_eta < 4) || n_features == 0) {
    throw std::invalid_argument("a table of " + std::to_string(n_energy) + " x " +
                                std::to_string(n_eta) + " nodes and " + std::to_string(n_features) +
                                " features: cubic interpolation needs 4 nodes per axis");
  }
  if (values.size() != n_energy * n_eta * n_features) {
    throw std::invalid_argument("the table holds " + std::to_string(values.size()) +
                                " numbers, not nodes times features");
  }
  if (!(log_energy_high > log_energy_low) || (n_eta > 1 && !(eta_high > eta_low))) {
    throw std::invalid_argument("the table's range is empty");
  }
  TableView& view = storage_->view;
  view.n_energy = n_energy;
  view.n_eta = n_eta;
  view.n_features = n_features;
  view.stride = round_up(n_features, kPanel);
  storage_->arena.reserve(n_energy * n_eta * view.stride);
  storage_->arena.allocate();
  float* rows = storage_->arena.take(n_energy * n_eta * view.stride);
  for (std::size_t node = 0; node < n_energy * n_eta; ++node) {
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(node * n_features), n_features,
                rows + node * view.stride);
  }
  view.values = rows;
  view.log_energy_low = static_cast<float>(log_energy_low);
  view.inverse_energy_step =
      static_cast<float>(static_cast<double>(n_energy - 1) / (log_energy_high - log_energy_low));
  view.eta_low = static_cast<float>(eta_low);
  if (n_eta > 1) {
    view.inverse_eta_step =
        static_cast<float>(static_cast<double>(n_eta - 1) / (eta_high - eta_low));
  }
}

PackedTable::PackedTable(PackedTable&&) noexcept = default;
PackedTable& PackedTable::operator=(PackedTable&&) noexcept = default;
PackedTable::~PackedTable() = default;
const TableView& PackedTable::view() const noexcept {
  return storage_->view;
}

Workspace::Workspace(std::size_t n_floats) : data_(allocate_floats(n_floats)), size_(n_floats) {}

Workspace::Workspace(Workspace&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Workspace& Workspace::operator=(Workspace&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Workspace::~Workspace() {
  free_floats(data_);
}

}  // namespace fastcaloq::kernels
