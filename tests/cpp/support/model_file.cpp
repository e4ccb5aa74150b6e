#include "model_file.hpp"

#include <cstring>
#include <iterator>

#include "card_parser.hpp"
#include "maker.hpp"
#include "network.hpp"
#include "onnx_reader.hpp"
#include "sha256.hpp"

namespace fastcaloq::test {

using Json = nlohmann::json;

void Message::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) text_.push_back(static_cast<char>((value & 0x7f) | 0x80));
  text_.push_back(static_cast<char>(value));
}

Message& Message::number(std::uint32_t field, std::uint64_t value) {
  varint(std::uint64_t{field} << 3);
  varint(value);
  return *this;
}

Message& Message::bytes(std::uint32_t field, const std::string& value) {
  varint((std::uint64_t{field} << 3) | 2);
  varint(value.size());
  text_ += value;
  return *this;
}

namespace {

Message value_info(const std::string& name, std::int64_t width) {
  Message shape;
  shape.message(1, Message().bytes(2, "N"));
  shape.message(1, Message().number(1, static_cast<std::uint64_t>(width)));
  const Message tensor = Message().number(1, 1).message(2, shape);
  return Message().bytes(1, name).message(2, Message().message(1, tensor));
}

Message tensor_proto(const std::string& name, const TensorSpec& spec) {
  Message tensor;
  for (const std::int64_t dim : spec.dims) tensor.number(1, static_cast<std::uint64_t>(dim));
  tensor.number(2, static_cast<std::uint64_t>(spec.element_type));
  return tensor.bytes(8, name).bytes(9, spec.raw);
}

std::string onnx_bytes(const ModelFile& file, const std::string& card, const std::string& digest) {
  Message graph;
  graph.bytes(2, "energy_flow");
  for (const auto& [name, spec] : file.tensors) graph.message(5, tensor_proto(name, spec));
  for (const auto& [name, width] : file.inputs) graph.message(11, value_info(name, width));
  for (const auto& [name, width] : file.outputs) graph.message(12, value_info(name, width));
  Message model;
  model.number(1, 9).bytes(2, "test").message(7, graph).message(8, Message().number(2, 18));
  model.message(14, Message().bytes(1, "fastcaloq.card").bytes(2, card));
  model.message(14, Message().bytes(1, "fastcaloq.sha256").bytes(2, digest));
  return model.text();
}

std::string sealed(const ModelFile& file, const std::string& card) {
  const std::string blank = onnx_bytes(file, card, std::string(64, '0'));
  detail::Sha256 sha;
  sha.update(blank);
  return onnx_bytes(file, card, sha.hex_digest());
}

/// The first `n_columns` of rows of `width` numbers.
Json matrix(const std::vector<float>& values, std::size_t width, std::size_t n_columns) {
  Json rows = Json::array();
  for (auto row = values.begin(); row != values.end(); row += static_cast<std::ptrdiff_t>(width)) {
    rows.push_back(std::vector<float>(row, row + static_cast<std::ptrdiff_t>(n_columns)));
  }
  return rows;
}

}  // namespace

TensorSpec& ModelFile::add(const std::string& name, std::vector<std::int64_t> dims,
                           const std::vector<float>& values) {
  std::string raw(values.size() * 4, '\0');
  std::memcpy(raw.data(), values.data(), raw.size());
  return tensors[name] = {std::move(dims), 1, std::move(raw)};
}

std::vector<float> ModelFile::values(const std::string& name) const {
  const std::string& raw = tensors.at(name).raw;
  std::vector<float> values(raw.size() / 4);
  std::memcpy(values.data(), raw.data(), raw.size());
  return values;
}

std::string ModelFile::serialise(const std::string& digest) const {
  return onnx_bytes(*this, card.dump(), digest);
}

std::string ModelFile::build() const {
  return sealed(*this, card.dump());
}

std::string ModelFile::build_with_card(const std::string& card_text) const {
  return sealed(*this, card_text);
}

void ModelFile::fill_parity(std::size_t n_rows) {
  Json* const parts[] = {&card["parity"],
                         card.contains("shape") ? &card["shape"]["parity"] : nullptr};
  for (Json* parity : parts) {
    if (parity != nullptr) blank(*parity, parity != parts[0]);
  }
  const std::string bytes = build();
  const detail::OnnxFile onnx = detail::read_onnx(bytes);
  const ModelCard parsed = detail::parse_card(card.dump());
  detail::Weights weights(onnx);
  const detail::Network network(parsed, weights);
  detail::ChunkWorkspace workspace(network);
  const std::size_t n_features = network.n_features();
  std::vector<float> energy(n_rows), eta(n_rows), layers(n_rows * 3), voxels(n_rows * n_voxels);
  for (std::size_t row = 0; row < n_rows; ++row) {
    energy[row] = 300.0F * static_cast<float>(row + 1);
    eta[row] = 0.05F * static_cast<float>(row);
  }
  const std::vector<float> z = Maker(99).normal(n_rows * 3, 1.0);
  const std::vector<float> z_shape = Maker(97).normal(n_rows * n_voxels, 1.0);
  const bool served = !network.knows(true) || inputs.back().first == "quantum";
  const std::vector<float> quantum = Maker(98).normal(served ? n_rows * n_features : 0, 0.5);
  for (Json* parity : parts) {
    if (parity == nullptr) continue;
    const bool with_voxels = parity != parts[0];
    detail::Chunk chunk;
    chunk.rows = {n_rows, energy.data(), eta.data(), served ? quantum.data() : nullptr};
    chunk.z = z.data();
    chunk.z_shape = z_shape.data();
    chunk.z_shape_stride = n_voxels;
    chunk.layer_energy = layers.data();
    chunk.voxel_energy = with_voxels ? voxels.data() : nullptr;
    network.run(kernels::kernels(kernels::best_instruction_set()), chunk, workspace);
    (*parity)["incident_energy"] = energy;
    (*parity)["eta"] = eta;
    (*parity)["z_energy"] = matrix(z, 3, 3);
    (*parity)["layer_energy"] = matrix(layers, 3, 3);
    if (with_voxels) {
      (*parity)["z_shape"] = matrix(z_shape, n_voxels, n_voxels);
      (*parity)["voxel_energy"] = matrix(voxels, n_voxels, n_voxels);
    }
    const auto own = static_cast<std::size_t>(parsed.conditioning.features);
    if (parity->contains("quantum")) {
      (*parity)["quantum"] = matrix(quantum, n_features, with_voxels ? n_features : own);
    }
  }
}

void ModelFile::blank(Json& parity, bool with_voxels) const {
  const auto width = [](const Json& part) {
    return part["conditioning"]["features"].get<std::size_t>();
  };
  const auto served = [](const Json& part) { return part["conditioning"]["mode"] == "served"; };
  bool any = served(card);
  std::size_t n_features = width(card);
  if (with_voxels) {
    any = any || served(card["shape"]);
    n_features += width(card["shape"]);
  }
  const auto zeros = [](std::size_t n) { return Json::array({std::vector<double>(n, 0.0)}); };
  parity = {{"incident_energy", {1000.0}}, {"eta", {0.1}},
            {"z_energy", zeros(3)},        {"layer_energy", zeros(3)},
            {"relative_tolerance", 1e-3},  {"absolute_tolerance", 1e-2}};
  if (with_voxels) parity["z_shape"] = parity["voxel_energy"] = zeros(n_voxels);
  if (any) parity["quantum"] = zeros(n_features);
}

void ModelFile::serve() {
  std::int64_t n_features = 0;
  for (Json* part : {&card, card.contains("shape") ? &card["shape"] : nullptr}) {
    if (part == nullptr || (*part)["conditioning"]["kind"] == "none") continue;
    Json& conditioning = (*part)["conditioning"];
    conditioning["mode"] = "served";
    conditioning["version"] = part == &card ? "0123456789abcdef" : "fedcba9876543210";
    n_features += conditioning["features"].get<std::int64_t>();
  }
  for (auto entry = tensors.begin(); entry != tensors.end();) {
    const auto starts = [&entry](const char* prefix) { return entry->first.rfind(prefix, 0) == 0; };
    const bool own = starts("conditioner.subnet") || starts("quantum.") ||
                     starts("shape.conditioner.subnet") || starts("shape.quantum.");
    entry = own ? tensors.erase(entry) : std::next(entry);
  }
  inputs.emplace_back("quantum", n_features);
  fill_parity();
}

std::shared_ptr<const Model> ModelFile::load() const {
  const std::string bytes = build();
  return Model::from_bytes(bytes.data(), bytes.size());
}

}  // namespace fastcaloq::test
