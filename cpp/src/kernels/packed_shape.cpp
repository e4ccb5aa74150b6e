// Packs a shape flow: lays its weights out in the order in which one shower needs them.
#include "aligned.hpp"
#include "engine.hpp"
#include "packing.hpp"

namespace fastcaloq::kernels {

struct PackedShape::Storage {
  Arena arena;
  ShapeOrder order;
  ShapeView view;
  std::size_t multiply_adds = 0;
  std::size_t workspace_floats = 0;
};

PackedShape::PackedShape(const ShapeParameters& p) : storage_(std::make_unique<Storage>()) {
  Storage& s = *storage_;
  s.order = shape_order(p.layers, p.stride, p.offset);
  s.view.n_layers = p.layers.size();
  s.view.n_voxels = s.order.n_voxels;
  s.view.n_coordinates = s.order.coordinates.size();
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
