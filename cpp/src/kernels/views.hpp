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

// Outputs of a dense layer are packed in panels of this many columns.
inline constexpr std::size_t kPanel = 16;

enum class Activation : std::uint8_t { none, relu, silu, tanh };

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

// One coupling block; constants of the inverse (latent to data) direction.
struct BlockView {
  CouplingKind kind = CouplingKind::spline;
  std::size_t n_passive = 0;
  std::size_t n_active = 0;
  std::size_t n_linear = 0;
  const LinearView* linear = nullptr;          // [n_linear], the subnet
  const std::uint32_t* permutation = nullptr;  // [n_layers]: x[permutation[j]] = v[j]
  const float* inverse_scale = nullptr;        // [n_layers], index j: 1 / scale[permutation[j]]
  const float* minus_shift = nullptr;          // [n_layers], index j: -shift[permutation[j]]
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

// One coordinate of the energy preprocessing, see Coordinate in engine.hpp.
struct CoordinateView {
  const float* mean = nullptr;   // [n_knots]
  const float* scale = nullptr;  // [n_knots]
  bool has_lower = false;
  bool has_upper = false;
  float lower = 0;
  float upper = 0;
  float sharpness = 1;
};

struct FlowView {
  std::size_t n_layers = 0;    // L
  std::size_t n_features = 0;  // Q
  std::size_t n_blocks = 0;
  const BlockView* blocks = nullptr;            // [n_blocks], data-to-latent order
  const CoordinateView* coordinates = nullptr;  // [n_layers]
  const std::uint32_t* layer_order = nullptr;   // [n_layers], chain of fractions
  std::size_t n_knots = 0;
  const float* knots = nullptr;              // [n_knots], ascending log(E / MeV)
  const float* inverse_knot_step = nullptr;  // [n_knots - 1], 1 / (knots[i + 1] - knots[i])
  // Sizes of the scratch rows, fixed when the model is packed.
  std::size_t max_passive = 0;
  std::size_t max_width = 0;  // widest output of any dense layer, rounded up to kPanel
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
  const float* values = nullptr;  // [n_energy][n_eta][n_features]
  float log_energy_low = 0;       // log(E / MeV) of the first and last node
  float log_energy_high = 1;
  float eta_low = 0;  // |eta| of the first and last node
  float eta_high = 1;
};

}  // namespace fastcaloq::kernels
