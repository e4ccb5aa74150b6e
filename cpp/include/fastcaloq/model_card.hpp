/// \file
/// What a model says of itself: the card inside the file, checked, as plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fastcaloq {

/// A closed interval.
struct Interval {
  double low = 0.0;
  double high = 0.0;
};

/// Region of incident energy and pseudorapidity.
struct PhaseSpace {
  Interval incident_energy;  ///< MeV, 0 < low <= high
  Interval eta;              ///< absolute pseudorapidity, 0 <= low <= high
};

/// One calorimeter layer and its voxels.
struct LayerCard {
  int id = 0;                   ///< ATLAS CaloSampling number
  std::vector<double> r_edges;  ///< mm, ascending; empty: no voxels in this layer
  int n_alpha = 1;              ///< bins in alpha

  std::size_t n_rings() const noexcept { return r_edges.empty() ? 0 : r_edges.size() - 1; }
  /// Voxels, r fastest: voxel (r, a) stands at a * n_rings() + r of its layer.
  std::size_t n_voxels() const noexcept { return n_rings() * static_cast<std::size_t>(n_alpha); }
};

struct BinningCard {
  std::string name;
  std::vector<LayerCard> layers;  ///< in the order of the columns of `layer_energy`

  /// Voxels of all layers, which follow each other in the columns of `voxel_energy`.
  std::size_t n_voxels() const noexcept {
    std::size_t n = 0;
    for (const LayerCard& layer : layers) n += layer.n_voxels();
    return n;
  }
};

/// c = ((log(E/MeV) - log_energy_center) / log_energy_half_width, (|eta| - eta_center) / eta_half_width)
struct ConditionCard {
  double log_energy_center = 0.0;
  double log_energy_half_width = 1.0;
  double eta_center = 0.0;
  double eta_half_width = 1.0;
};

/// One coordinate of the flow's data space and how it becomes an energy or a fraction.
struct CoordinateCard {
  std::vector<double> mean;       ///< at each knot
  std::vector<double> scale;      ///< at each knot, > 0
  std::optional<double> lower;    ///< below: the layer (or the whole calorimeter) is empty
  std::optional<double> upper;    ///< above: this layer takes all that is left
  std::optional<double> ceiling;  ///< approached from below, never passed; not with `upper`
  double sharpness = 1.0;         ///< kappa of the soft-plus bounds, > 0
};

struct PreprocessingCard {
  std::vector<int> layer_order;  ///< positions into BinningCard::layers, the chain
  /// The first so many of the chain stand alone, in units of E_inc; the others share what coordinate 0
  /// says, each a fraction of what the earlier ones left.
  int n_absolute = 0;
  double energy_threshold = 0.0;            ///< MeV; below, a layer counted as empty in training
  double zero_width = 0.0;                  ///< width of the band that stands for "empty"
  double zero_gap = 0.0;                    ///< distance of that band from the values
  std::vector<double> knots;                ///< log(E_inc/MeV), ascending
  std::vector<CoordinateCard> coordinates;  ///< the shared energy, then the chain but its last
};

enum class BlockKind : std::uint8_t { affine, spline };

/// One coupling block: the first `passive` (permuted) elements steer the other `active` ones.
struct BlockCard {
  BlockKind kind = BlockKind::spline;
  int passive = 0;
  int active = 0;
  double log_scale_bound = 3.0;  ///< affine only
  int bins = 0;                  ///< spline only, as all below
  double tail_bound = 0.0;
  double min_bin_width = 0.0;
  double min_bin_height = 0.0;
  double min_derivative = 0.0;
};

enum class Activation : std::uint8_t { relu, silu };

/// A circuit that was trained; `monomial_degree` fixes the inputs of its constant matrices.
struct CircuitCard {
  int n_qubits = 0;
  int n_layers = 0;
  int n_inputs = 0;
  std::string encoding;
  std::string ansatz;
  bool reuploading = false;
  std::string observables;
  int monomial_degree = 1;
};

/// Circuits in place of the hidden layers of every block's subnet.
struct SubnetCard {
  CircuitCard circuit;            ///< its inputs: the block's passive elements and the condition
  int networks = 1;               ///< circuits per block, whose features the last layer takes
  double coordinate_scale = 1.0;  ///< circuits see tanh(element / coordinate_scale)
};

struct FlowCard {
  std::vector<BlockCard> blocks;  ///< in the direction data to latent
  std::vector<int> hidden;        ///< widths of the subnets' hidden layers
  Activation activation = Activation::relu;
  std::optional<SubnetCard> subnet;  ///< then `hidden` is empty
};

enum class ConditioningKind : std::uint8_t { none, conditioner, classical, multilinear, fourier };
enum class ConditioningMode : std::uint8_t { none, precomputed, embedded, served };

/// Precomputed features on a uniform grid in log(E/MeV) and |eta|.
struct TableCard {
  Interval log_energy;
  Interval eta;
  int n_energy = 0;
  int n_eta = 1;
  double max_error = 0.0;      ///< largest interpolation error measured at export
  double feature_range = 0.0;  ///< spread of the features, to judge max_error by
};

struct ConditioningCard {
  ConditioningKind kind = ConditioningKind::none;
  ConditioningMode mode = ConditioningMode::none;
  int features = 0;
  std::optional<CircuitCard> circuit;
  std::vector<int> hidden;  ///< classical only
  std::optional<TableCard>
      table;  ///< precomputed, or to fall back to where the features are served
  std::string
      version;  ///< names the trained conditioner: 16 hexadecimal digits; empty in old files
};

/// Inputs and outputs the model must reproduce; run at every load.
struct ParityCard {
  std::vector<float> incident_energy;  ///< (n) MeV
  std::vector<float> eta;              ///< (n)
  std::vector<float> z_energy;         ///< (n, layers), row by row
  std::vector<float> z_shape;          ///< (n, voxels), row by row; whole showers only
  std::vector<float> quantum;          ///< (n, features), row by row, where they are served
  std::vector<float> layer_energy;     ///< (n, layers) MeV, row by row
  std::vector<float> voxel_energy;     ///< (n, voxels) MeV, row by row; whole showers only
  double relative_tolerance = 0.0;
  double absolute_tolerance = 0.0;  ///< MeV
};

/// The voxels of a shower, given its layer energies: an autoregressive flow with atoms. What it takes
/// apart and in which order follows from the binning, `stride` and `offset`.
struct ShapeCard {
  int stride = 1;           ///< in the order of alpha bins: steps from a ring to the next
  int offset = 0;           ///< the same from a layer to the next
  int units = 0;            ///< of either hidden layer, for each group of coordinates
  int context = 0;          ///< numbers the hidden layers give to each coordinate
  int head = 0;             ///< hidden width of a coordinate's own network
  int bins = 0;             ///< of its spline
  double tail_bound = 0.0;  ///< the spline is the identity beyond
  double min_bin_width = 0.0;
  double min_bin_height = 0.0;
  double min_derivative = 0.0;
  double log_scale_bound = 0.0;   ///< largest |log| of an affine factor
  double energy_scale = 0.0;      ///< MeV, in log(1 + E / energy_scale)
  ConditioningCard conditioning;  ///< its own conditioner, as the energies have theirs
  ParityCard parity;              ///< of whole showers
};

/// The whole card, schema 1. Energies in MeV, lengths in mm, angles in radians.
struct ModelCard {
  int schema = 0;
  std::string name;
  std::string particle;
  int pdg_id = 0;
  BinningCard binning;
  PhaseSpace validity;       ///< where the model was trained
  PhaseSpace extrapolation;  ///< as far as it may be asked to go
  ConditionCard condition;
  PreprocessingCard preprocessing;
  FlowCard flow;
  ConditioningCard conditioning;
  ParityCard parity;               ///< of the layer energies alone
  std::optional<ShapeCard> shape;  ///< where the model makes voxels
};

}  // namespace fastcaloq
