// The kernels of one instruction set. Compiled several times, each with its own flags and with
// FASTCALOQ_VARIANT set to the name of the namespace. Includes no header of the standard library
// beyond <cstddef> and <cstdint>, so that no inline function of it is compiled here.
#include "conditioning.hpp"
#include "flow.hpp"
#include "kernel_table.hpp"
#include "random.hpp"
#include "shape_flow.hpp"

#define FASTCALOQ_TEXT_(name) #name
#define FASTCALOQ_TEXT(name) FASTCALOQ_TEXT_(name)

namespace fastcaloq::kernels::FASTCALOQ_VARIANT {

FASTCALOQ_INLINE F apply(MathFunction function, F x) {
  switch (function) {
    case MathFunction::exp:
      return exp(x);
    case MathFunction::expm1:
      return expm1(x);
    case MathFunction::log:
      return log(x);
    case MathFunction::softplus:
      return softplus(x);
    case MathFunction::tanh:
      return tanh(x);
    case MathFunction::silu:
      return silu(x);
    case MathFunction::normal_cdf:
      return normal_cdf(x);
    case MathFunction::sigmoid: {
      F positive, negative;
      sigmoids(x, positive, negative);
      return positive;
    }
    case MathFunction::cos_turns:
    case MathFunction::sin_turns:
      break;
  }
  alignas(64) float turns[kLanes];
  alignas(64) std::uint32_t words[kLanes];
  store(turns, x * set1(0x1p32f));
  for (std::size_t i = 0; i < kLanes; ++i) words[i] = static_cast<std::uint32_t>(turns[i]);
  F cosine, sine;
  cos_sin(loadu(words), cosine, sine);
  return function == MathFunction::cos_turns ? cosine : sine;
}

static void evaluate_kernel(MathFunction function, const float* x, float* y, std::size_t n) {
  alignas(64) float buffer[kLanes];
  for (std::size_t first = 0; first < n; first += kLanes) {
    const std::size_t count = n - first < kLanes ? n - first : kLanes;
    for (std::size_t i = 0; i < kLanes; ++i) buffer[i] = i < count ? x[first + i] : 0.0f;
    store(buffer, apply(function, load(buffer)));
    for (std::size_t i = 0; i < count; ++i) y[first + i] = buffer[i];
  }
}

static void dense_kernel(const LinearView& layer, const float* x, float* y, std::size_t n) {
  dense_batch(layer, x, kChunk, (n + kLanes - 1) / kLanes, y);
}

extern const KernelTable table;
const KernelTable table = {FASTCALOQ_TEXT(FASTCALOQ_VARIANT),
                           sample_kernel,
                           sample_shape_kernel,
                           condition_kernel,
                           table_features_kernel,
                           linear_kernel,
                           dense_kernel,
                           latents_kernel,
                           philox_kernel,
                           evaluate_kernel};

}  // namespace fastcaloq::kernels::FASTCALOQ_VARIANT
