/// \file
/// Drawing showers from a model.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "fastcaloq/conditioner.hpp"
#include "fastcaloq/conditions.hpp"
#include "fastcaloq/engine.hpp"
#include "fastcaloq/export.hpp"
#include "fastcaloq/model.hpp"
#include "fastcaloq/random.hpp"

namespace fastcaloq {

struct SamplerOptions {
  /// Threads for large batches; 0: all processors this process may use.
  unsigned threads = 0;
  /// "auto" or one of instruction_sets().
  std::string instruction_set = "auto";
  /// Where the features come from; null: the model's own conditioner. Asked once for each batch.
  std::shared_ptr<const Conditioner> conditioner = nullptr;
  /// What draws in place of the native engine, or makes the voxels after it; null: nothing does.
  std::shared_ptr<const Engine> engine = nullptr;
  /// Hold an engine of whole showers to the parity vectors of the model.
  bool check_parity = true;
};

/// Draws layer energies and, where the model has them, voxels. Its methods are const and may be called
/// from many threads at once; working memory is kept between calls, one piece for each thread that was
/// ever inside at the same time.
///
/// A shower depends on its key, energy, eta and features alone: not on the batch it is in, its place there, or
/// the number of threads (bit for bit, for one instruction set).
class FASTCALOQ_API Sampler {
 public:
  /// \throws InputError a null model, an unknown or unavailable instruction set, a conditioner with
  ///         another number of features, or an engine for other layers or voxels
  /// \throws ModelError the model does not reproduce its parity vectors with this instruction set or
  ///         this engine
  explicit Sampler(std::shared_ptr<const Model> model, const SamplerOptions& options = {});
  ~Sampler();
  Sampler(Sampler&&) noexcept;
  Sampler& operator=(Sampler&&) noexcept;

  /// Draws one shower for each particle, with latents of its key.
  /// \param layer_energy out, (n, layers) MeV, row-major, each exactly 0 or positive; the same bits
  ///        whether voxels are asked for or not
  /// \param voxel_energy out, (n, voxels) MeV, row-major, each exactly 0 or positive; those of a layer
  ///        add up to its energy (an engine of voxels may do otherwise). Null: not wanted, and not
  ///        computed.
  /// \return number of particles outside the range of validity
  /// \throws InputError see check_conditions; features that are not finite; conditioning that is
  ///         served, with neither features, conditioner nor table; voxels of a model without them
  /// \throws ModelError an energy that is negative or not finite came out; names the row
  /// \throws Error whatever the conditioner or the engine throws
  std::size_t sample(const Conditions& conditions, const ShowerKeys& keys, OutOfRange policy,
                     float* layer_energy, float* voxel_energy = nullptr) const;

  /// The same from given latents `z`, (n, layers), row-major. Throws InputError for a latent that is
  /// not finite.
  std::size_t generate(const Conditions& conditions, const float* z, OutOfRange policy,
                       float* layer_energy) const;
  /// Whole showers from given latents; `z_shape` is (n, voxels), row-major.
  std::size_t generate(const Conditions& conditions, const float* z, const float* z_shape,
                       OutOfRange policy, float* layer_energy, float* voxel_energy) const;

  const std::shared_ptr<const Model>& model() const noexcept;
  /// Layers and voxels of the showers: the model's, or those of an engine of voxels.
  const BinningCard& binning() const noexcept;
  /// Columns of `voxel_energy`, V; 0: layer energies alone.
  std::size_t n_voxels() const noexcept;
  unsigned threads() const noexcept;
  /// Name of the instruction set in use.
  std::string instruction_set() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace fastcaloq
