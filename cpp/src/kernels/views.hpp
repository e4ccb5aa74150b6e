// Plain views of packed model constants: what the vector kernels read.
//
// This header is included by sources that are compiled several times with different instruction
// sets. It therefore holds plain data only: an inline function or a standard-library template
// instantiated there could be merged by the linker with the copy of another source and run
// AVX-512 code on a machine without it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fastcaloq::kernels {

// Showers that the batch path carries through the flow together.
inline constexpr std::size_t kChunk = 96;

// Outputs of a dense layer are packed in panels of this many columns.
inline constexpr std::size_t kPanel = 16;

enum class Activation : std::uint8_t { none, relu, silu, tanh };

// What KernelTable::evaluate can compute; sin and cos take an angle in turns, [0, 1).
enum class MathFunction : std::uint8_t {
  exp,
  expm1,
  log,
  softplus,
  sigmoid,
  tanh,
  silu,
  normal_cdf,
  sin_turns,
  cos_turns
};

enum class CouplingKind : std::uint8_t { spline, affine };

// y = activation(x W + bias), x a row of n_in numbers, y a row of n_out numbers.
struct LinearView {
  std::size_t n_in = 0;
  std::size_t n_out = 0;
  const float* weight =
      nullptr;  // [ceil(n_out / kPanel)][n_in][kPanel], zero padded, 64-byte aligned
  const float* bias = nullptr;  // [ceil(n_out / kPanel) * kPanel], zero padded, 64-byte aligned
  Activation activation = Activation::none;
};

// A circuit of D = 2^qubits amplitudes as real matrices. Each upload turns the amplitudes by angles
// that are linear in the inputs' monomials, and multiplies the row (re, im):
//   first:  row = (cos, sin) matrix, the initial state being part of the matrix
//   then:   row = (re cos + im sin, im cos - re sin) matrix
//   features = (re^2, im^2) readout
struct CircuitView {
  std::size_t dimension = 0;             // D
  std::size_t n_uploads = 0;             // at least 1
  const LinearView* phases = nullptr;    // [n_uploads], monomials to turns; D, the first D or D / 2
  const LinearView* matrices = nullptr;  // [n_uploads], twice the turns to 2 D
  LinearView readout;                    // 2 D to features
};

// One coupling block; constants of the inverse (latent to data) direction.
struct BlockView {
  CouplingKind kind = CouplingKind::spline;
  std::size_t n_passive = 0;
  std::size_t n_active = 0;
  std::size_t n_linear = 0;
  const LinearView* linear = nullptr;  // [n_linear], the subnet, or what follows circuits
  std::size_t n_circuits = 0;
  const CircuitView* circuits = nullptr;       // [n_circuits], their features side by side
  bool squares = false;                        // monomials go up to degree 2
  float inverse_coordinate_scale = 1;          // circuits see tanh(passive coordinate times this)
  const std::uint32_t* permutation = nullptr;  // [n_layers]: x[permutation[j]] = v[j]
  // [n_layers rounded up to kPanel], aligned; at j: 1 / scale[permutation[j]] and minus the shift.
  const float* inverse_scale = nullptr;
  const float* minus_shift = nullptr;
  // Spline.
  std::size_t bins = 0;
  float tail_bound = 0;
  float min_bin_width = 0;
  float min_bin_height = 0;
  float min_derivative = 0;
  float derivative_offset = 0;  // log(exp(1 - min_derivative) - 1): raw 0 means slope 1
  // Affine.
  float log_scale_bound = 0;
};

// Inverse preprocessing, see Coordinate in engine.hpp. One row per constant, so that the lanes of
// a vector can be the coordinates of one shower; rows padded to a multiple of kPanel. One knot
// gives one segment of slope 0.
struct CoordinatesView {
  std::size_t n_segments = 0;                // of the piecewise-linear mean and scale, at least 1
  const float* segment_start = nullptr;      // [n_segments], ascending log(E / MeV)
  std::size_t stride = 0;                    // floats per row below
  const float* mean = nullptr;               // [n_segments][stride], at the segment's start
  const float* mean_slope = nullptr;         // [n_segments][stride]
  const float* scale = nullptr;              // [n_segments][stride]
  const float* scale_slope = nullptr;        // [n_segments][stride]
  const float* lower = nullptr;              // [stride], -inf where there is no lower bound
  const float* upper = nullptr;              // [stride], +inf where there is no upper bound
  const float* ceiling = nullptr;            // [stride], +inf where there is no ceiling
  const float* sharpness = nullptr;          // [stride]
  const float* inverse_sharpness = nullptr;  // [stride]
};

struct FlowView {
  std::size_t n_layers = 0;    // L
  std::size_t n_features = 0;  // Q
  std::size_t n_blocks = 0;
  const BlockView* blocks = nullptr;  // [n_blocks], data-to-latent order
  CoordinatesView coordinates;
  const std::uint32_t* layer_order = nullptr;  // [n_layers], the chain
  std::size_t n_absolute = 0;  // first elements of layer_order that are no fractions
  // Sizes of the scratch rows, fixed when the model is packed.
  std::size_t max_passive = 0;
  std::size_t max_bins = 0;
  std::size_t max_width = 0;      // widest output of any dense layer, rounded up to kPanel
  std::size_t max_monomials = 0;  // of inputs of circuits; 0 without circuits
  std::size_t max_measured = 0;   // features of all circuits of a block, rounded up to kPanel
};

// c = [(log(E_inc/MeV) - log_energy_center) / log_energy_half_width,
//      (|eta| - eta_center) / eta_half_width]
struct ConditionView {
  float log_energy_center = 0;
  float log_energy_half_width = 1;
  float eta_center = 0;
  float eta_half_width = 1;
};

// Precomputed conditioner features on a uniform grid, interpolated by a 4-point cubic per axis.
struct TableView {
  std::size_t n_energy = 0;  // at least 4
  std::size_t n_eta = 0;     // 1 (no dependence on eta) or at least 4
  std::size_t n_features = 0;
  std::size_t stride = 0;         // floats per node, n_features rounded up to kPanel
  const float* values = nullptr;  // [n_energy][n_eta][stride], 64-byte aligned
  float log_energy_low = 0;       // log(E / MeV) of the first node
  float inverse_energy_step = 1;
  float eta_low = 0;  // |eta| of the first node
  float inverse_eta_step = 1;
};

}  // namespace fastcaloq::kernels
