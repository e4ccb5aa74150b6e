#include "shape_order.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

namespace fastcaloq::kernels {
namespace {

constexpr std::uint32_t kNone = ~std::uint32_t{0};

std::uint32_t narrow(std::size_t value) {
  return static_cast<std::uint32_t>(value);
}

struct Ring {
  std::uint32_t row = kNone;               // its energy: a voxel or what is left of it
  std::uint32_t known = kNone;             // its energy among the known values
  std::vector<std::uint32_t> voxel_known;  // [A] where A > 1
};

class Builder {
 public:
  Builder(const std::vector<ShapeLayer>& layers, std::size_t stride, std::size_t offset)
      : layers_(layers), stride_(stride), offset_(offset) {}

  ShapeOrder build() {
    for (const ShapeLayer& layer : layers_) {
      if ((layer.n_rings == 0) != (layer.n_alpha == 0)) {
        throw std::invalid_argument("a layer of " + std::to_string(layer.n_rings) + " rings and " +
                                    std::to_string(layer.n_alpha) + " bins in alpha");
      }
      first_voxel_.push_back(order_.n_voxels);
      order_.n_voxels += layer.n_rings * layer.n_alpha;
    }
    if (order_.n_voxels == 0) throw std::invalid_argument("no layer has voxels");
    order_.n_energies = order_.n_voxels;
    lay_rows();
    draw_rings();
    draw_alphas();
    // Neighbours were looked up while the order was being laid out; now that the number of known
    // values is final, those that do not exist point behind the last.
    for (ShapeCoordinateView& c : order_.coordinates) {
      for (std::uint32_t& n : c.neighbour) n = n == kNone ? narrow(order_.n_known) : n;
    }
    return std::move(order_);
  }

 private:
  std::uint32_t voxel(std::size_t l, std::size_t r, std::size_t a) const {
    return narrow(first_voxel_[l] + a * layers_[l].n_rings + r);
  }

  void lay_rows() {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const ShapeLayer& layer = layers_[l];
      rings_.emplace_back(layer.n_rings);
      for (std::size_t r = 0; r < layer.n_rings; ++r) {
        Ring& ring = rings_[l][r];
        ring.row = layer.n_alpha == 1 ? voxel(l, r, 0) : narrow(order_.n_energies++);
        if (layer.n_alpha > 1) ring.voxel_known.assign(layer.n_alpha, kNone);
      }
      if (layer.n_rings == 1) order_.starts.push_back({narrow(l), rings_[l][0].row});
      if (layer.n_rings > 1) {
        order_.starts.push_back({narrow(l), narrow(order_.n_energies)});
        ++order_.n_energies;
      }
    }
  }

  // Adds a coordinate to the last group; `end` is the row for the rest where it ends its chain.
  ShapeCoordinateView& draw(std::uint32_t total, std::uint32_t taken, std::uint32_t end) {
    ShapeCoordinateView c;
    c.total = total;
    c.taken = taken;
    c.last = end != kNone;
    c.left = c.last ? end : total;
    c.known = narrow(order_.n_known);
    order_.n_known += 1 + c.last;
    for (std::uint32_t& n : c.neighbour) n = kNone;
    ++order_.groups.back().size;
    order_.coordinates.push_back(c);
    return order_.coordinates.back();
  }

  void open_group() { order_.groups.push_back({order_.coordinates.size(), 0, order_.n_known}); }

  void see(ShapeCoordinateView& c, std::size_t place, std::uint32_t known) const {
    if (known == kNone || known >= order_.groups.back().n_known) {
      throw std::invalid_argument("stride " + std::to_string(stride_) +
                                  " draws a voxel together with a neighbour that it depends on; "
                                  "take a stride of at least 2");
    }
    c.neighbour[place] = known;
  }

  void draw_rings() {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const std::size_t n = layers_[l].n_rings;
      std::vector<Ring>& rings = rings_[l];
      if (n < 2) continue;
      const std::uint32_t left = order_.starts[start_of(l)].row;
      for (std::size_t r = 0; r + 1 < n; ++r) {
        open_group();
        const bool last = r + 2 == n;
        ShapeCoordinateView& c = draw(left, rings[r].row, last ? rings[r + 1].row : kNone);
        rings[r].known = c.known;
        order_.values.push_back({l, r, {}});
        if (last) order_.values.push_back({l, r + 1, {}});
        if (last) rings[r + 1].known = c.known + 1;
        for (std::size_t back = 1; back <= 3 && back <= r; ++back) {
          see(c, back - 1, rings[r - back].known);
        }
      }
    }
  }

  std::size_t start_of(std::size_t l) const {
    std::size_t i = 0;
    while (order_.starts[i].layer != l) ++i;
    return i;
  }

  void draw_alphas() {
    struct Place {
      std::size_t l, r, a;
    };
    std::map<std::size_t, std::vector<Place>> by_key;  // places of a key in order of (l, r, a)
    std::size_t k = 0;
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      if (layers_[l].n_alpha < 2) continue;
      for (std::size_t r = 0; r < layers_[l].n_rings; ++r) {
        for (std::size_t a = 0; a + 1 < layers_[l].n_alpha; ++a) {
          by_key[a + stride_ * r + offset_ * k].push_back({l, r, a});
        }
      }
      ++k;
    }
    for (const auto& [key, places] : by_key) {
      open_group();
      for (const Place& p : places) draw_alpha(p.l, p.r, p.a);
    }
  }

  void draw_alpha(std::size_t l, std::size_t r, std::size_t a) {
    const std::size_t n = layers_[l].n_alpha;
    Ring& ring = rings_[l][r];
    const bool last = a + 2 == n;
    ShapeCoordinateView& c = draw(ring.row, voxel(l, r, a), last ? voxel(l, r, n - 1) : kNone);
    ring.voxel_known[a] = c.known;
    order_.values.push_back({l, r, a});
    if (last) order_.values.push_back({l, r, n - 1});
    if (last) ring.voxel_known[n - 1] = c.known + 1;
    if (r > 0) {
      const std::vector<std::uint32_t>& inner = rings_[l][r - 1].voxel_known;
      see(c, 0, inner[a]);
      see(c, 1, inner[a + 1]);  // a < A - 1
      if (a > 0) see(c, 2, inner[a - 1]);
    }
    if (a > 0) see(c, 3, ring.voxel_known[a - 1]);
    if (a > 1) see(c, 4, ring.voxel_known[a - 2]);
    if (a > 0) see(c, 5, ring.voxel_known[0]);
    if (ring.known != kNone) see(c, 6, ring.known);
  }

  const std::vector<ShapeLayer>& layers_;
  std::size_t stride_, offset_;
  std::vector<std::size_t> first_voxel_;
  std::vector<std::vector<Ring>> rings_;
  ShapeOrder order_;
};

}  // namespace

ShapeOrder shape_order(const std::vector<ShapeLayer>& layers, std::size_t stride,
                       std::size_t offset) {
  return Builder(layers, stride, offset).build();
}

}  // namespace fastcaloq::kernels
