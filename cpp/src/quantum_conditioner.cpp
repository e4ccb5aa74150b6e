#include <cmath>
#include <string>
#include <utility>

#include "dense_chain.hpp"
#include "stored_conditioner.hpp"

namespace fastcaloq::detail {
namespace {

/// The circuit as real constants. With D = 2^qubits, c the condition and m(c) its monomials:
///   state = initial ; for each upload: state <- (exp(-i m(c) phases) * state) matrix
///   features = |state|^2 readout
/// in float32, states as rows [re, im] of 2 D numbers.
class QuantumConditioner final : public StoredConditioner {
 public:
  struct Upload {
    DenseChain phases;  // monomials -> D, in turns
    DenseChain matrix;  // 2 D -> 2 D
  };

  QuantumConditioner(std::size_t dimension, std::size_t n_monomials, std::vector<float> initial,
                     std::vector<Upload> uploads, DenseChain readout)
      : dimension_(dimension),
        n_monomials_(n_monomials),
        initial_(std::move(initial)),
        uploads_(std::move(uploads)),
        readout_(std::move(readout)) {}

  void features(const kernels::KernelTable& kernels, const ConditionRows& rows, float* features,
                float* scratch) const override {
    float* monomials = scratch;
    float* phases = monomials + rows.n * n_monomials_;
    float* state = phases + rows.n * dimension_;
    float* next = state + rows.n * 2 * dimension_;
    fill_monomials(rows, monomials);
    for (std::size_t row = 0; row < rows.n; ++row) {
      std::copy(initial_.begin(), initial_.end(), state + row * 2 * dimension_);
    }
    for (const Upload& upload : uploads_) {
      upload.phases.apply(kernels, monomials, phases, rows.n, nullptr);
      rotate(kernels, phases, next, state, rows.n);
      upload.matrix.apply(kernels, state, next, rows.n, nullptr);
      std::swap(state, next);
    }
    float* probability = phases;
    for (std::size_t row = 0; row < rows.n; ++row) {
      const float* re = state + row * 2 * dimension_;
      const float* im = re + dimension_;
      for (std::size_t i = 0; i < dimension_; ++i) {
        probability[row * dimension_ + i] = re[i] * re[i] + im[i] * im[i];
      }
    }
    readout_.apply(kernels, probability, features, rows.n, nullptr);
  }

  std::size_t scratch_floats(std::size_t n) const override {
    return n * (n_monomials_ + 5 * dimension_);
  }

 private:
  void fill_monomials(const ConditionRows& rows, float* monomials) const {
    for (std::size_t row = 0; row < rows.n; ++row) {
      const float c0 = rows.condition[2 * row];
      const float c1 = rows.condition[2 * row + 1];
      float* out = monomials + row * n_monomials_;
      out[0] = c0;
      out[1] = c1;
      if (n_monomials_ == 5) {
        out[2] = c0 * c0;
        out[3] = c0 * c1;
        out[4] = c1 * c1;
      }
    }
  }

  // `turns` (n, D) are angles over 2 pi and `scratch` as large; both are overwritten.
  void rotate(const kernels::KernelTable& kernels, float* turns, float* scratch, float* state,
              std::size_t n) const {
    const std::size_t size = n * dimension_;
    for (std::size_t i = 0; i < size; ++i) {
      const float turn = turns[i] - std::floor(turns[i]);
      turns[i] = turn < 1.0F ? turn : 0.0F;  // just below 0 the difference rounds to 1
    }
    float* cosine = scratch;
    kernels.evaluate(kernels::MathFunction::cos_turns, turns, cosine, size);
    kernels.evaluate(kernels::MathFunction::sin_turns, turns, turns, size);
    const float* sine = turns;
    for (std::size_t row = 0; row < n; ++row, cosine += dimension_, sine += dimension_) {
      float* re = state + row * 2 * dimension_;
      float* im = re + dimension_;
      for (std::size_t i = 0; i < dimension_; ++i) {
        const float real = re[i] * cosine[i] + im[i] * sine[i];
        im[i] = im[i] * cosine[i] - re[i] * sine[i];
        re[i] = real;
      }
    }
  }

  std::size_t dimension_;
  std::size_t n_monomials_;
  std::vector<float> initial_;
  std::vector<Upload> uploads_;
  DenseChain readout_;
};

constexpr double radians_to_turns = 0.15915494309189535;  // 1 / (2 pi)

DenseChain product(Weights& weights, const std::string& name, std::size_t n_in, std::size_t n_out,
                   double factor = 1.0) {
  kernels::MlpLayer layer;
  layer.n_in = n_in;
  layer.n_out = n_out;
  layer.weight = weights.floats(name, {n_in, n_out});
  for (float& weight : layer.weight) weight = static_cast<float>(factor * weight);
  layer.bias.assign(n_out, 0.0F);
  return DenseChain({std::move(layer)}, kernels::Activation::none);
}

}  // namespace

std::unique_ptr<const StoredConditioner> make_quantum_conditioner(const ConditioningCard& card,
                                                                  const std::string& prefix,
                                                                  Weights& weights) {
  const CircuitCard& circuit = *card.circuit;
  const std::size_t dimension = std::size_t{1} << circuit.n_qubits;
  const std::size_t n_monomials = circuit.monomial_degree == 1 ? 2 : 5;
  // Without re-uploading the inputs enter once, with it before every layer.
  const int n_uploads = circuit.reuploading ? circuit.n_layers : 1;
  std::vector<float> initial = weights.floats(prefix + "quantum.initial_state", {2 * dimension});
  std::vector<QuantumConditioner::Upload> uploads;
  for (int u = 0; u < n_uploads; ++u) {
    const std::string name = prefix + "quantum." + std::to_string(u);
    DenseChain phases =
        product(weights, name + ".phases", n_monomials, dimension, radians_to_turns);
    DenseChain matrix = product(weights, name + ".matrix", 2 * dimension, 2 * dimension);
    uploads.push_back({std::move(phases), std::move(matrix)});
  }
  return std::make_unique<QuantumConditioner>(
      dimension, n_monomials, std::move(initial), std::move(uploads),
      product(weights, prefix + "quantum.readout", dimension,
              static_cast<std::size_t>(card.features)));
}

}  // namespace fastcaloq::detail
