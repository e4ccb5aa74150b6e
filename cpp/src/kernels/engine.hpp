// Interface of the numerical kernels: packs an energy flow once, then draws showers from it.
//
//   PackedFlow flow(parameters);                     // once per model, immutable, shared by threads
//   const KernelTable& table = kernels(best_instruction_set());
//   Workspace workspace(flow);                       // one per thread
//   table.condition(condition, incident_energy, eta, c, log_energy, n);
//   table.table_features(features_table.view(), log_energy, eta, features, n);
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

#include "kernel_table.hpp"
#include "shape_parameters.hpp"
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

// A circuit as CircuitView has it. Layers without bias have one of zeros.
struct CircuitLayers {
  std::vector<MlpLayer> phases;
  std::vector<MlpLayer> matrices;
  MlpLayer readout;
};

// Forward (data to latent): v = ((x + shift) * scale)[permutation]; a = v[:passive];
// b = v[passive:]; out = concat(a, elementwise(b; subnet(concat(a, c, q)))). With circuits the
// subnet takes their features, and they the monomials of concat(tanh(a / coordinate_scale), c, q).
struct CouplingBlock {
  CouplingKind kind = CouplingKind::spline;
  std::size_t n_passive = 0;
  std::size_t n_active = 0;
  std::vector<std::uint32_t> permutation;  // [L]
  std::vector<float> actnorm_scale;        // [L], finite and not zero
  std::vector<float> actnorm_shift;        // [L]
  std::vector<MlpLayer> subnet;            // last layer plain, its output parameter-major
  Activation activation = Activation::relu;
  std::vector<CircuitLayers> circuits;
  std::size_t monomial_degree = 1;  // of circuits, 1 or 2
  double coordinate_scale = 1;      // of circuits
  std::size_t bins = 0;             // spline
  double tail_bound = 0;            // spline
  double min_bin_width = 0;         // spline
  double min_bin_height = 0;        // spline
  double min_derivative = 0;        // spline
  double log_scale_bound = 0;       // affine
};

// Coordinate k of the data x: k = 0 the energy that the chain shares, over E_inc; k in
// 1..n_absolute the energy of chain element k - 1, over E_inc; k > n_absolute the fraction that
// chain element k - 1 takes of what is left of the shared energy.
struct Coordinate {
  std::vector<double> mean;       // [n_knots]
  std::vector<double> scale;      // [n_knots]
  std::optional<double> lower;    // below it: no energy
  std::optional<double> upper;    // above it: all energy that is left; fractions only
  std::optional<double> ceiling;  // approached, never passed: keeps the tail physical
  double sharpness = 1;
};

struct EnergyFlowParameters {
  std::size_t n_layers = 0;                // L
  std::size_t n_features = 0;              // Q
  std::vector<CouplingBlock> blocks;       // data-to-latent order
  std::vector<std::uint32_t> layer_order;  // [L], permutation of 0..L-1, most often empty first
  std::size_t n_absolute = 0;              // first chain elements that stand alone, < L
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
  std::size_t max_width() const noexcept;  // widest n_out

 private:
  struct Storage;
  std::unique_ptr<Storage> storage_;
};

// The precomputed conditioner.
class PackedTable {
 public:
  // values [n_energy, n_eta, n_features] row-major on uniform grids from low to high, of
  // log(E / MeV) and |eta|; n_energy >= 4, n_eta 1 or >= 4.
  PackedTable(const std::vector<float>& values, std::size_t n_energy, std::size_t n_eta,
              std::size_t n_features, double log_energy_low, double log_energy_high, double eta_low,
              double eta_high);
  PackedTable(PackedTable&&) noexcept;
  PackedTable& operator=(PackedTable&&) noexcept;
  ~PackedTable();

  const TableView& view() const noexcept;

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

// The kernels of one instruction set; throws std::invalid_argument where this machine or this
// build lacks it.
const KernelTable& kernels(InstructionSet set);

// What this build holds and this machine runs, best first; the last is always `plain`.
const std::vector<InstructionSet>& available_instruction_sets();
InstructionSet best_instruction_set();

const char* name(InstructionSet set) noexcept;
std::optional<InstructionSet> instruction_set_from_name(const char* name) noexcept;

}  // namespace fastcaloq::kernels
