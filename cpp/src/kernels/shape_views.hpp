// Plain views of a packed shape flow; the rules of views.hpp hold here too.
#pragma once

#include <cstddef>
#include <cstdint>

#include "views.hpp"

namespace fastcaloq::kernels {

// Local features of a coordinate: the energy it shares out, its neighbours, and moments.
inline constexpr std::size_t kNeighbours = 7;
inline constexpr std::size_t kMoments = 8;
inline constexpr std::size_t kLocal = 1 + kNeighbours + kMoments;

// Moments of a layer with bins in alpha over the voxels known so far, w being a voxel's share of its
// layer, r the middle of its ring and phi that of its bin: sums of w r cos(phi), w r sin(phi),
// w r^2 cos(2 phi), w r^2 sin(2 phi), each as asinh(sum / unit) * scale; and the part of the
// layer's voxels that is known and not empty.
inline constexpr std::size_t kLayerMoments = 5;

// A known value is two inputs: its encoded energy, and this times its share of its layer.
inline constexpr float kShareScale = 10.0f;

// Energy in MeV that an empty layer is taken to have where a share of it is asked for.
inline constexpr float kLeastEnergy = 1e-9f;

// Inputs whose weights lie side by side, see ShapeView::weights.
inline constexpr std::size_t kSlice = 8;

// Rows of weights that the batch path asks for before it needs them: a row takes some ten cycles to use
// and some 200 to come from the third-level cache.
inline constexpr std::size_t kPrefetched = 32;

// A coordinate draws x of the energy in row `total`: x goes to row `taken`, the rest to row `left`.
struct ShapeCoordinateView {
  std::uint32_t total = 0;
  std::uint32_t taken = 0;
  std::uint32_t left = 0;
  std::uint32_t known = 0;  // x is this known value; where `last`, the rest is the next one
  std::uint32_t last = 0;   // 1: the last of its chain
  std::uint32_t neighbour[kNeighbours] = {};  // known values; M where there is none
  std::uint32_t moment[kMoments] = {};        // rows of moments; n_moments where there is none
};

// What a known value adds to the moments.
struct ShapeValueView {
  std::uint32_t layer = 0;
  std::uint32_t moment = 0;  // first row of its layer's; n_moments: none
  float count = 0;           // one over the number of the layer's voxels
};

// The energy of a layer starts in this row of energies.
struct ShapeStart {
  std::uint32_t layer = 0;
  std::uint32_t row = 0;
};

// One group's part of the weights: where each block of rows starts in the stream.
struct ShapeGroupView {
  std::size_t first = 0;  // coordinates [first, first + size)
  std::size_t size = 0;
  std::size_t known = 0;         // values known before the group
  std::size_t n_new = 0;         // values it reveals
  std::size_t moments = 0;       // 1: some of them are voxels of layers with bins in alpha
  std::size_t context = 0;       // first column of its context numbers, a multiple of kPanel
  std::size_t from_hidden1 = 0;  // its first hidden units to the second ones, own group and later
  std::size_t from_hidden2 = 0;  // its second hidden units to the context, own group and later
  std::size_t heads = 0;         // [size] of: [context + kLocal, head], [head, n_parameters]
  std::size_t from_known = 0;    // the values it reveals to the first hidden units of later groups
};

struct ShapeView {
  std::size_t n_layers = 0;       // L, layer energies
  std::size_t n_features = 0;     // Q
  std::size_t n_condition = 0;    // 2 + 2 L + Q
  std::size_t n_voxels = 0;       // V
  std::size_t n_coordinates = 0;  // C, latents used
  std::size_t n_groups = 0;       // G
  std::size_t n_known = 0;        // M
  std::size_t n_moments = 0;      // kLayerMoments for every layer with bins in alpha
  std::size_t n_energies = 0;
  std::size_t n_starts = 0;
  std::size_t units = 0;
  std::size_t n_hidden = 0;   // units * G
  std::size_t context = 0;    // numbers per coordinate
  std::size_t n_context = 0;  // context columns of all groups, each group's rounded up to kPanel
  std::size_t head = 0;
  std::size_t n_parameters = 0;                      // 4 + 3 bins - 1
  std::size_t max_inputs = 0;                        // of any product of matrices
  std::size_t max_group = 0;                         // coordinates of the largest group
  std::size_t max_new = 0;                           // values that a group reveals at most
  const ShapeCoordinateView* coordinates = nullptr;  // [C]
  const ShapeGroupView* groups = nullptr;            // [G]
  const ShapeStart* starts = nullptr;                // [n_starts]
  const ShapeValueView* values = nullptr;            // [M]
  const float* by_share = nullptr;      // [M][kPanel]: times a value's share, four sums, then zeros
  const float* moment_scale = nullptr;  // [n_moments], padded; 0: taken as it is
  // Every weight once, in the order in which one shower needs them: the condition's, then group by
  // group. A block holds the weights from some inputs to all outputs that depend on them, and
  // starts on a cache line. kPanel floats may be read behind every weight.
  //   To hidden units, and in the heads: rows [n_in][n_out].
  //   To the context: slices of kSlice inputs or, in the last, fewer; in each of them panels
  //   [n_out / kPanel][inputs of the slice][kPanel].
  const float* weights = nullptr;
  std::size_t from_condition[3] = {};  // the condition to first, second hidden units and context
  const float* bias[3] = {};           // likewise: [n_hidden], [n_hidden], [n_context]
  const float* head_bias = nullptr;    // [C][head + n_parameters]
  BlockView spline;                    // its elementwise constants alone
  float inverse_energy_scale = 1;      // 1 / MeV
  float energy_scale = 1;              // MeV
};

}  // namespace fastcaloq::kernels
