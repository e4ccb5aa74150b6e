// A shape flow, p(voxels | layer energies, E_inc, eta), as it stands in a file, and packed.
//
//   PackedShape shape(parameters);                   // once per model, immutable, shared by threads
//   Workspace workspace(shape.workspace_floats());   // one per thread
//   table.sample_shape(shape.view(), incident_energy, c, q, layer_energy, z, voxel_energy, n,
//                      workspace.data());
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "shape_order.hpp"
#include "shape_views.hpp"

namespace fastcaloq::kernels {

// All weights [in, out] row-major: a row vector times the matrix.
struct ShapeGroupParameters {
  std::vector<float> hidden1_weight;  // [2 known_g, units]; empty where known_g = 0
  std::vector<float> hidden2_weight;  // [(g + 1) units, units]
  std::vector<float> context_weight;  // [(g + 1) units, n_g context]
  std::vector<float> head1_weight;    // [n_g, context + kLocal, head]
  std::vector<float> head1_bias;      // [n_g, head]
  std::vector<float> head2_weight;    // [n_g, head, 4 + 3 bins - 1]
  std::vector<float> head2_bias;      // [n_g, 4 + 3 bins - 1]
};

struct ShapeParameters {
  std::vector<ShapeLayer> layers;          // [L], in the order of the layer energies
  std::vector<std::vector<double>> radii;  // [L][rings], mm: the middle of every ring
  std::size_t stride = 0;                  // of the order of the voxels, see shape_order.hpp
  std::size_t offset = 0;
  std::size_t n_features = 0;  // Q, of the shape's own conditioner
  std::size_t units = 0;       // hidden units per group and layer
  std::size_t context = 0;     // numbers per coordinate
  std::size_t head = 0;        // hidden width of a coordinate's head
  std::size_t bins = 0;
  double tail_bound = 0;
  double min_bin_width = 0;
  double min_bin_height = 0;
  double min_derivative = 0;
  double log_scale_bound = 0;
  double energy_scale = 0;  // MeV
  // shape.condition{1,2,3}: [2 + 2 L + Q, H], [.., H], [.., C context] with H = units G and all
  // groups side by side.
  std::vector<float> condition_weight[3];
  std::vector<float> condition_bias[3];
  std::vector<ShapeGroupParameters> groups;  // [G], as shape_order gives them
};

// Constants in the form that the kernels read. Immutable; move only.
// Throws std::invalid_argument when sizes contradict each other, with the part's name.
class PackedShape {
 public:
  explicit PackedShape(const ShapeParameters& parameters);
  PackedShape(PackedShape&&) noexcept;
  PackedShape& operator=(PackedShape&&) noexcept;
  ~PackedShape();

  const ShapeView& view() const noexcept;
  std::size_t bytes() const noexcept;             // memory held
  std::size_t multiply_adds() const noexcept;     // of the dense layers, per shower
  std::size_t workspace_floats() const noexcept;  // scratch that KernelTable::sample_shape needs

 private:
  struct Storage;
  std::unique_ptr<Storage> storage_;
};

}  // namespace fastcaloq::kernels
