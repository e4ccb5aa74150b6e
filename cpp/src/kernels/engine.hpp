// Interface of the numerical kernels: packs an energy flow once, then draws showers from it.
//
//   PackedFlow flow(parameters);                     // once per model, immutable, shared by
//   threads const KernelTable& table = kernels(best_instruction_set()); Workspace workspace(flow);
//   // one per thread table.condition(condition, incident_energy, eta, c, log_energy, n);
//   table.table_features(features_table, log_energy, eta, features, n);
//   table.latents(seed, event, particle, n, n_layers, 0, z);
//   table.sample(flow.view(), incident_energy, c, features, z, layer_energy, n, workspace.data());
//
// Laws, tested under these names: a shower's bits depend neither on n nor on its place in the
// batch; AVX-512 and AVX2 give the same bits; latents have the same bits on every instruction set;
// nothing in KernelTable allocates, throws, or keeps state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "views.hpp"

namespace fastcaloq::kernels {

// ---------------------------------------------------------------- parameters, as in the file

// y = x W + bias.
struct MlpLayer {
  std::size_t n_in = 0;
  std::size_t n_out = 0;
  std::vector<float> weight;  // [n_in, n_out] row-major
  std::vector<float> bias;    // [n_out]
};

// Forward (data to latent): v = ((x + shift) * scale)[permutation]; a = v[:passive];
// b = v[passive:]; out = concat(a, elementwise(b; subnet(concat(a, c, q)))).
struct CouplingBlock {
  CouplingKind kind = CouplingKind::spline;
  std::size_t n_passive = 0;
  std::size_t n_active = 0;
  std::vector<std::uint32_t> permutation;  // [L]
  std::vector<float> actnorm_scale;        // [L], finite and not zero
  std::vector<float> actnorm_shift;        // [L]
  std::vector<MlpLayer> subnet;            // last layer plain, its output parameter-major
  Activation activation = Activation::relu;
  std::size_t bins = 0;        // spline
  double tail_bound = 0;       // spline
  double min_bin_width = 0;    // spline
  double min_bin_height = 0;   // spline
  double min_derivative = 0;   // spline
  double log_scale_bound = 0;  // affine
};

// Coordinate k of the data x: 0 the total energy, k >= 1 the share of chain element k - 1.
struct Coordinate {
  std::vector<double> mean;     // [n_knots]
  std::vector<double> scale;    // [n_knots]
  std::optional<double> lower;  // below it: no energy
  std::optional<double> upper;  // above it: all energy that is left
  double sharpness = 1;
};

struct EnergyFlowParameters {
  std::size_t n_layers = 0;                // L
  std::size_t n_features = 0;              // Q
  std::vector<CouplingBlock> blocks;       // data-to-latent order
  std::vector<std::uint32_t> layer_order;  // [L], permutation of 0..L-1, most often empty first
  std::vector<double> knots;               // ascending log(E / MeV), at least one
  std::vector<Coordinate> coordinates;     // [L]
};

// ---------------------------------------------------------------- packed once, at load

// Constants in the aligned form that the kernels read. Immutable; move only.
// Throws std::invalid_argument when sizes contradict each other, with the part's name.
class PackedFlow {
 public:
  explicit PackedFlow(const EnergyFlowParameters& parameters);
  PackedFlow(PackedFlow&&) noexcept;
  PackedFlow& operator=(PackedFlow&&) noexcept;
  ~PackedFlow();

  const FlowView& view() const noexcept;
  std::size_t bytes() const noexcept;             // memory held
  std::size_t multiply_adds() const noexcept;     // of the dense layers, per shower
  std::size_t workspace_floats() const noexcept;  // scratch that KernelTable::sample needs

 private:
  struct Storage;
  std::unique_ptr<Storage> storage_;
};

// Any chain of dense layers (the classical conditioner, the quantum one's real matrices).
class PackedMlp {
 public:
  // `activation` follows every layer but the last, `last_activation` the last.
  PackedMlp(const std::vector<MlpLayer>& layers, Activation activation, Activation last_activation);
  PackedMlp(PackedMlp&&) noexcept;
  PackedMlp& operator=(PackedMlp&&) noexcept;
  ~PackedMlp();

  const LinearView* layers() const noexcept;  // [size()]
  std::size_t size() const noexcept;
  std::size_t max_width() const noexcept;  // floats per row of scratch for KernelTable::linear

 private:
  struct Storage;
  std::unique_ptr<Storage> storage_;
};

// Scratch of one thread: allocated here, never in the kernels. Move only.
class Workspace {
 public:
  Workspace() = default;
  explicit Workspace(const PackedFlow& flow) : Workspace(flow.workspace_floats()) {}
  explicit Workspace(std::size_t n_floats);
  Workspace(Workspace&& other) noexcept;
  Workspace& operator=(Workspace&& other) noexcept;
  ~Workspace();

  float* data() noexcept { return data_; }  // 64-byte aligned
  std::size_t size() const noexcept { return size_; }

 private:
  float* data_ = nullptr;
  std::size_t size_ = 0;
};

// ---------------------------------------------------------------- kernels

enum class InstructionSet : std::uint8_t { plain, avx2, avx512 };

struct KernelTable {
  const char* name;  // "plain", "avx2", "avx512"

  // Layer energies from latents: inverse flow and inverse preprocessing, any n.
  //   incident_energy [n] MeV, > 0; condition [n, 2]; features [n, Q] (nullptr if Q = 0);
  //   latents [n, L]; layer_energy [n, L] MeV, out; scratch: PackedFlow::workspace_floats(),
  //   64-byte aligned. All row-major.
  void (*sample)(const FlowView& flow, const float* incident_energy, const float* condition,
                 const float* features, const float* latents, float* layer_energy, std::size_t n,
                 float* scratch);

  // condition [n, 2] and, if not nullptr, log_energy [n] = log(E_inc / MeV).
  void (*condition)(const ConditionView& condition, const float* incident_energy, const float* eta,
                    float* c, float* log_energy, std::size_t n);

  // features [n, Q] from the precomputed table; log_energy [n] as given by `condition`, eta [n].
  void (*table_features)(const TableView& table, const float* log_energy, const float* eta,
                         float* features, std::size_t n);

  // y [n, n_out] = activation(x [n, n_in] W + bias), row-major, row by row.
  void (*linear)(const LinearView& layer, const float* x, float* y, std::size_t n);

  // Standard normal latents [n, n_latents] by Philox4x32-10 and Box-Muller:
  //   key = (seed low, seed high); counter = (stream << 24 | j / 4, particle, event low, high);
  //   latent j of a shower is normal j % 4 of its block j / 4. |latent| < 6.8. stream < 256.
  void (*latents)(std::uint64_t seed, const std::uint64_t* event, const std::uint32_t* particle,
                  std::size_t n, std::size_t n_latents, std::uint32_t stream, float* out);

  // The raw generator, for known-answer tests: out [n, 4] from counters [n, 4] and one key [2].
  void (*philox)(const std::uint32_t* key, const std::uint32_t* counters, std::uint32_t* out,
                 std::size_t n);
};

// The kernels of one instruction set; throws std::invalid_argument where this machine or this
// build lacks it.
const KernelTable& kernels(InstructionSet set);

// What this build holds and this machine runs, best first; the last is always `plain`.
const std::vector<InstructionSet>& available_instruction_sets();
InstructionSet best_instruction_set();

const char* name(InstructionSet set) noexcept;
std::optional<InstructionSet> instruction_set_from_name(const char* name) noexcept;

}  // namespace fastcaloq::kernels
