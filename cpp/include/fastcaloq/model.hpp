/// \file
/// A trained model, loaded once and shared.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "fastcaloq/export.hpp"
#include "fastcaloq/model_card.hpp"

namespace fastcaloq {

namespace detail {
class Network;
}

/// An immutable model; may be used by any number of threads at once.
///
/// Loading checks the digest of the whole file, the card, the shape and every value of every weight
/// against the card, and then that the engine reproduces the parity vectors in the card on this
/// machine. A model that loads is a model that works.
class FASTCALOQ_API Model {
 public:
  /// Loads an `.onnx` file written by `export-onnx`.
  /// \throws ModelError missing, unreadable, damaged, foreign, of a newer schema, or not reproducing
  ///         its parity vectors; the text names the path and the reason.
  static std::shared_ptr<const Model> load(const std::string& path);

  /// The same from memory; the bytes may be freed afterwards. `name` stands for the path in errors.
  static std::shared_ptr<const Model> from_bytes(const void* data, std::size_t size,
                                                 const std::string& name = "the model");

  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const ModelCard& card() const noexcept { return card_; }
  /// The card as it stands in the file: JSON, UTF-8.
  const std::string& card_json() const noexcept { return card_json_; }
  /// SHA-256 that names the model: 64 lower-case hexadecimal characters.
  const std::string& digest() const noexcept { return digest_; }
  /// Columns of `layer_energy`, in the order of `card().binning.layers`.
  std::size_t n_layers() const noexcept { return card_.binning.layers.size(); }
  /// Columns of `voxel_energy`, V, layer after layer, in a layer alpha after alpha, r fastest; 0 for a
  /// model of layer energies alone.
  std::size_t n_voxels() const noexcept { return card_.shape ? card_.binning.n_voxels() : 0; }
  /// Features per shower, Q: those of the energies, then those of the shape; 0 for a model without a
  /// conditioner.
  std::size_t n_features() const noexcept {
    const int shape = card_.shape ? card_.shape->conditioning.features : 0;
    return static_cast<std::size_t>(card_.conditioning.features + shape);
  }
  /// Whether a service computes features: the model's ONNX graph takes them as an input.
  bool is_served() const noexcept;
  /// Names the trained conditioners behind all features, 16 hexadecimal digits; a service must offer
  /// the same. Empty where there is none, and in files older than these names.
  std::string feature_version() const;

  /// For the library's own classes.
  const detail::Network& network() const noexcept { return *network_; }

 private:
  Model();

  ModelCard card_;
  std::string card_json_;
  std::string digest_;
  std::unique_ptr<const detail::Network> network_;
};

}  // namespace fastcaloq
