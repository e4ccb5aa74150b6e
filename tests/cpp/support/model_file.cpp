#include "model_file.hpp"

#include <cmath>
#include <cstring>
#include <iterator>
#include <random>

#include "card_parser.hpp"
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

class Maker {
 public:
  explicit Maker(std::uint32_t seed) : random_(seed) {}

  std::vector<float> normal(std::size_t n, double scale) {
    std::normal_distribution<double> distribution(0.0, scale);
    std::vector<float> values(n);
    for (float& value : values) value = static_cast<float>(distribution(random_));
    return values;
  }

  void dense(ModelFile& file, const std::string& prefix, const std::vector<std::int64_t>& widths) {
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      const std::string name = prefix + "." + std::to_string(i);
      const auto n_in = static_cast<std::size_t>(widths[i]);
      const auto n_out = static_cast<std::size_t>(widths[i + 1]);
      file.add(name + ".weight", {widths[i], widths[i + 1]},
               normal(n_in * n_out, 1.0 / std::sqrt(static_cast<double>(n_in))));
      file.add(name + ".bias", {widths[i + 1]}, normal(n_out, 0.2));
    }
  }

  void blocks(ModelFile& file, std::int64_t n_features) {
    const std::vector<std::vector<std::int64_t>> orders{{0, 1, 2}, {2, 0, 1}, {1, 2, 0}};
    for (std::size_t b = 0; b < orders.size(); ++b) {
      const std::string prefix = "energy.block" + std::to_string(b);
      file.add(prefix + ".actnorm.scale", {3}, {1.1F, -0.9F, 0.8F});
      file.add(prefix + ".actnorm.shift", {3}, {0.1F, -0.2F, 0.05F});
      std::string raw(24, '\0');
      std::memcpy(raw.data(), orders[b].data(), raw.size());
      file.tensors[prefix + ".permutation"] = {{3}, 7, raw};
      dense(file, prefix + ".subnet", {1 + 2 + n_features, 16, 8, b == 1 ? 4 : 2 * 14});
    }
  }

 private:
  std::mt19937 random_;
};

Json make_card() {
  const Json layers = Json::array({{{"id", 0}, {"r_edges", {0, 5, 10}}, {"n_alpha", 1}},
                                   {{"id", 1}, {"r_edges", {0, 2, 4}}, {"n_alpha", 10}},
                                   {{"id", 12}, {"r_edges", Json::array()}, {"n_alpha", 1}}});
  const Json spline = {{"kind", "spline"},
                       {"passive", 1},
                       {"active", 2},
                       {"bins", 5},
                       {"tail_bound", 5.0},
                       {"min_bin_width", 1e-3},
                       {"min_bin_height", 1e-3},
                       {"min_derivative", 1e-3}};
  const Json affine = {{"kind", "affine"}, {"passive", 1}, {"active", 2}, {"log_scale_bound", 3.0}};
  const double low = std::log(256.0);
  const double high = std::log(65536.0);
  const auto coordinate = [](double mean, Json lower, Json upper) {
    return Json{{"mean", {mean, mean + 0.1}}, {"scale", {0.2, 0.1}}, {"lower", std::move(lower)},
                {"upper", std::move(upper)},  {"ceiling", nullptr},  {"sharpness", 2.0}};
  };
  return {
      {"schema", 1},
      {"name", "test"},
      {"particle", "photon"},
      {"pdg_id", 22},
      {"contents", {"layer_energy"}},
      {"units", {{"energy", "MeV"}, {"length", "mm"}, {"angle", "rad"}}},
      {"binning", {{"name", "small"}, {"layers", layers}}},
      {"validity", {{"incident_energy", {256.0, 65536.0}}, {"eta", {0.0, 0.5}}}},
      {"extrapolation", {{"incident_energy", {128.0, 131072.0}}, {"eta", {0.0, 0.8}}}},
      {"condition",
       {{"log_energy_center", (low + high) / 2},
        {"log_energy_half_width", (high - low) / 2},
        {"eta_center", 0.25},
        {"eta_half_width", 0.25}}},
      {"preprocessing",
       {{"kind", "energy_fractions"},
        {"layer_order", {2, 0, 1}},
        {"n_absolute", 0},
        {"energy_threshold", 0.01},
        {"zero_width", 1.0},
        {"zero_gap", 0.25},
        {"knots", {low, high}},
        {"coordinates", Json::array({coordinate(0.0, nullptr, nullptr), coordinate(-3.0, -1.0, 4.0),
                                     coordinate(-1.0, -2.0, nullptr)})}}},
      {"flow", {{"blocks", {spline, affine, spline}}, {"hidden", {16, 8}}, {"activation", "silu"}}},
      {"conditioning",
       {{"kind", "none"},
        {"mode", "none"},
        {"features", 0},
        {"circuit", nullptr},
        {"hidden", nullptr},
        {"table", nullptr}}},
      {"training",
       {{"version", "0.1.0"},
        {"seed", 1},
        {"data",
         Json::array({{{"name", "a.hdf5"}, {"sha256", std::string(64, 'a')}, {"showers", 9}}})},
        {"steps", 1},
        {"epochs", 1},
        {"validation_nll", 1.5},
        {"seconds", 2.0}}},
      {"parity",
       {{"incident_energy", {1000.0}},
        {"eta", {0.1}},
        {"z_energy", {{0.0, 0.0, 0.0}}},
        {"layer_energy", {{0.0, 0.0, 0.0}}},
        {"relative_tolerance", 1e-3},
        {"absolute_tolerance", 1e-2}}}};
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
  const std::string bytes = build();
  const detail::OnnxFile onnx = detail::read_onnx(bytes);
  const ModelCard parsed = detail::parse_card(card.dump());
  detail::Weights weights(onnx);
  const detail::Network network(parsed, weights);
  detail::ChunkWorkspace workspace(network);
  std::vector<float> energy(n_rows), eta(n_rows), out(n_rows * 3);
  for (std::size_t row = 0; row < n_rows; ++row) {
    energy[row] = 300.0F * static_cast<float>(row + 1);
    eta[row] = 0.05F * static_cast<float>(row);
  }
  const std::vector<float> z = Maker(99).normal(n_rows * 3, 1.0);
  std::vector<float> quantum;
  if (parsed.conditioning.mode == ConditioningMode::served) {
    quantum = Maker(98).normal(n_rows * 2, 0.5);
  }
  network.run(kernels::kernels(kernels::best_instruction_set()),
              {n_rows, energy.data(), eta.data(), quantum.empty() ? nullptr : quantum.data()},
              z.data(), out.data(), workspace);
  Json& parity = card["parity"];
  parity["incident_energy"] = energy;
  parity["eta"] = eta;
  for (const char* key : {"z_energy", "layer_energy"}) parity[key] = Json::array();
  for (std::size_t row = 0; row < n_rows; ++row) {
    parity["z_energy"].push_back({z[3 * row], z[3 * row + 1], z[3 * row + 2]});
    parity["layer_energy"].push_back({out[3 * row], out[3 * row + 1], out[3 * row + 2]});
    if (!quantum.empty()) parity["quantum"][row] = {quantum[2 * row], quantum[2 * row + 1]};
  }
}

void ModelFile::serve() {
  Json& part = card["conditioning"];
  part["mode"] = "served";
  part["version"] = "0123456789abcdef";
  for (auto entry = tensors.begin(); entry != tensors.end();) {
    const bool energy = entry->first.rfind("energy.", 0) == 0;
    const bool table = entry->first == "conditioner.table";
    entry = energy || table ? std::next(entry) : tensors.erase(entry);
  }
  inputs.emplace_back("quantum", part["features"].get<std::int64_t>());
  // One row of features for the one row of the card made so far, whatever it is.
  card["parity"]["quantum"] = Json::array({{0.0, 0.0}});
  for (const char* key : {"incident_energy", "eta", "z_energy", "layer_energy"}) {
    Json& rows = card["parity"][key];
    rows.erase(rows.begin() + 1, rows.end());
  }
  fill_parity();
}

std::shared_ptr<const Model> ModelFile::load() const {
  const std::string bytes = build();
  return Model::from_bytes(bytes.data(), bytes.size());
}

ModelFile make_model(Conditioning conditioning, std::uint32_t seed) {
  Maker make(seed);
  ModelFile file;
  file.card = make_card();
  file.inputs = {{"incident_energy", 1}, {"eta", 1}, {"z_energy", 3}};
  file.outputs = {{"layer_energy", 3}};
  Json& part = file.card["conditioning"];
  const bool circuit =
      conditioning != Conditioning::none && conditioning != Conditioning::classical;
  const std::int64_t n_features = conditioning == Conditioning::none ? 0 : 2;
  part["features"] = n_features;
  if (conditioning != Conditioning::none) part["kind"] = circuit ? "conditioner" : "classical";
  if (circuit) {
    part["circuit"] = {{"n_qubits", 2},
                       {"n_layers", 2},
                       {"n_inputs", 2},
                       {"encoding", "angle_y"},
                       {"ansatz", "rotation_ring"},
                       {"reuploading", conditioning == Conditioning::quantum_reuploading},
                       {"observables", "z"},
                       {"monomial_degree", conditioning == Conditioning::quantum ? 1 : 2}};
  }
  if (conditioning == Conditioning::table) {
    part["mode"] = "precomputed";
    part["table"] = {{"log_energy", {std::log(128.0), std::log(131072.0)}},
                     {"eta", {0.0, 0.8}},
                     {"n_energy", 12},
                     {"n_eta", 5},
                     {"max_error", 1e-7},
                     {"feature_range", 2.0}};
    file.add("conditioner.table", {12, 5, 2}, make.normal(120, 0.5));
  } else if (conditioning == Conditioning::classical) {
    part["mode"] = "embedded";
    part["hidden"] = {5, 7};
    make.dense(file, "conditioner.subnet", {2, 5, 7, 2});
  } else if (circuit) {
    part["mode"] = "embedded";
    const bool again = conditioning == Conditioning::quantum_reuploading;
    file.add("quantum.initial_state", {8}, {1, 0, 0, 0, 0, 0, 0, 0});
    for (int u = 0; u < (again ? 2 : 1); ++u) {
      const std::string name = "quantum." + std::to_string(u);
      const std::int64_t n_monomials = again ? 5 : 2;
      file.add(name + ".phases", {n_monomials, 4},
               make.normal(static_cast<std::size_t>(n_monomials) * 4, 1.0));
      file.add(name + ".matrix", {8, 8}, make.normal(64, 0.35));
    }
    file.add("quantum.readout", {4, 2}, {1, 1, 1, -1, -1, 1, -1, -1});
  }
  make.blocks(file, n_features);
  file.fill_parity();
  return file;
}

}  // namespace fastcaloq::test
