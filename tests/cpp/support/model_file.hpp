/// \file
/// Small model files made in memory, with random weights and parity vectors that hold.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fastcaloq/model.hpp"

namespace fastcaloq::test {

/// Builds protocol-buffers messages.
class Message {
 public:
  Message& number(std::uint32_t field, std::uint64_t value);
  Message& bytes(std::uint32_t field, const std::string& value);
  Message& message(std::uint32_t field, const Message& value) { return bytes(field, value.text()); }
  const std::string& text() const { return text_; }

 private:
  void varint(std::uint64_t value);
  std::string text_;
};

struct TensorSpec {
  std::vector<std::int64_t> dims;
  int element_type = 1;
  std::string raw;
};

/// A model file in parts: change them, then build().
struct ModelFile {
  nlohmann::json card;
  std::map<std::string, TensorSpec> tensors;
  std::vector<std::pair<std::string, std::int64_t>> inputs, outputs;

  TensorSpec& add(const std::string& name, std::vector<std::int64_t> dims,
                  const std::vector<float>& values);
  std::vector<float> values(const std::string& name) const;

  /// The unsealed ONNX bytes with the digest `digest` written in.
  std::string serialise(const std::string& digest) const;
  /// The file's bytes, with the right digest.
  std::string build() const;
  /// The same with another text as the card.
  std::string build_with_card(const std::string& card_text) const;
  /// Replaces the parity vectors by what the engine computes from the present weights.
  void fill_parity(std::size_t n_rows = 6);
  /// Hands the conditioning to a service, versions "0123456789abcdef" of the energies and
  /// "fedcba9876543210" of the shape, with tables to fall back to if there are; the flows stay.
  void serve();
  std::shared_ptr<const Model> load() const;

 private:
  /// Makes a section of parity vectors with one row of zeros.
  void blank(nlohmann::json& parity, bool with_voxels) const;
};

enum class Conditioning { none, table, quantum, quantum_reuploading, classical };

/// 3 layers (ids 0, 1, 12), a spline, an affine and a spline block, hidden widths 16 and 8; valid from
/// 256 MeV to 65,536 MeV and |eta| 0 to 0.5, extrapolation from 128 MeV to 131,072 MeV and to 0.8.
ModelFile make_model(Conditioning conditioning = Conditioning::table, std::uint32_t seed = 1);

/// Voxels of these models: 2 rings in layer 0, 2 rings by 10 bins in alpha in layer 1, none in 12.
constexpr std::size_t n_voxels = 22;

/// The same for whole showers, with random weights for the shape, too.
ModelFile make_shower_model(Conditioning energy = Conditioning::table,
                            Conditioning shape = Conditioning::table, std::uint32_t seed = 1);

}  // namespace fastcaloq::test
