// In which order a shape flow draws a shower's voxels, and what each draw sees.
//
// A layer l has R_l rings and A_l bins in alpha; voxel (l, r, a) is number offset_l + a R_l + r.
//   Ring coordinates, one per group: layer by layer, ring r < R_l - 1 takes its share of what the
//   rings before it left of the layer's energy; the outermost ring gets the rest.
//   Alpha coordinates, for layers with A_l > 1, counted k = 0, 1, ...: voxel (l, r, a < A_l - 1)
//   takes its share of what is left of its ring's energy; voxel A_l - 1 gets the rest. Those with
//   the same key a + stride r + offset k are one group, groups ascend with the key.
// The coordinates of a group are drawn together from what earlier groups revealed.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "shape_views.hpp"

namespace fastcaloq::kernels {

struct ShapeLayer {
  std::size_t n_rings = 0;  // R_l; 0: the layer has no voxels
  std::size_t n_alpha = 0;  // A_l
};

struct ShapeGroup {
  std::size_t first = 0;    // its first coordinate
  std::size_t size = 0;     // its number of coordinates
  std::size_t n_known = 0;  // values that earlier groups revealed
};

// A ring's energy (no alpha) or a voxel's, in the order in which they become known.
struct ShapeValue {
  std::size_t layer = 0;
  std::size_t ring = 0;
  std::optional<std::size_t> alpha;
};

struct ShapeOrder {
  std::vector<ShapeCoordinateView> coordinates;
  std::vector<ShapeValue> values;  // [M]
  std::vector<ShapeGroup> groups;
  std::vector<ShapeStart> starts;  // where the layer energies go
  std::size_t n_voxels = 0;        // V
  std::size_t n_known = 0;         // M, values revealed in all
  std::size_t n_energies = 0;      // rows of energies: the voxels, then what is left of each chain
};

// Throws std::invalid_argument where no voxel is left or where a coordinate would have to see one
// of its own group (stride below 2).
ShapeOrder shape_order(const std::vector<ShapeLayer>& layers, std::size_t stride,
                       std::size_t offset);

}  // namespace fastcaloq::kernels
