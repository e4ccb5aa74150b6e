/// \file
/// What turns latents into energies: the native engine, another one, or your own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "fastcaloq/conditions.hpp"
#include "fastcaloq/export.hpp"
#include "fastcaloq/model_card.hpp"

namespace fastcaloq {

/// A few showers: what they are drawn from, and where they go. L layers, V voxels, Q features.
struct ShowerChunk {
  /// Checked, of the values to use. Features are rows.quantum (n, Q), or null where none were given.
  Conditions rows;
  const float* z = nullptr;        ///< (n, L) latents of the layer energies
  const float* z_shape = nullptr;  ///< (n, V) latents of the voxels; null: energies only
  float* layer_energy = nullptr;   ///< (n, L) MeV; out, or in for an engine of voxels alone
  float* voxel_energy = nullptr;   ///< out, (n, V) MeV; null: energies only
};

/// Draws showers in place of the native engine, from the same latents; a Sampler takes one through
/// SamplerOptions::engine. Immutable as seen from outside; may be called from many threads at once,
/// each with a workspace of its own. The sampler checks what goes in (conditions, features) and what
/// comes out: an energy that is negative or not finite never reaches its caller.
class FASTCALOQ_API Engine {
 public:
  /// Memory of one thread, kept from call to call. Derive from it.
  class FASTCALOQ_API Workspace {
   public:
    Workspace() = default;
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;
    virtual ~Workspace();
  };

  enum class Role : std::uint8_t {
    whole,   ///< makes layer energies, and voxels of the model's binning where the model has them
    voxels,  ///< makes voxels, of its own binning, for layer energies that the native engine draws
  };

  /// Whether an engine of whole showers computes features by itself.
  enum class Features : std::uint8_t {
    own,    ///< yes, and has no use for given ones, which are therefore refused
    given,  ///< no: they are given, or come from a conditioner, or from the model file's table
  };

  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine();

  virtual std::string name() const = 0;  ///< for messages
  virtual Role role() const noexcept = 0;
  virtual Features features() const noexcept = 0;
  /// The layers, in the order of the columns of `layer_energy`, and their voxels.
  virtual const BinningCard& binning() const noexcept = 0;
  /// Showers it wants at once; batches are cut accordingly.
  virtual std::size_t chunk_rows() const noexcept = 0;
  virtual std::unique_ptr<Workspace> make_workspace() const = 0;

  /// Draws up to chunk_rows() showers; each must depend on its own row alone.
  /// \throws Error showers cannot be drawn; the sampler passes it on
  virtual void run(const ShowerChunk& chunk, Workspace& workspace) const = 0;
};

}  // namespace fastcaloq
