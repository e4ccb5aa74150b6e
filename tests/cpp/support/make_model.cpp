#include <cmath>
#include <cstring>

#include "kernels/shape_order.hpp"
#include "maker.hpp"

namespace fastcaloq::test {
namespace {

using Json = nlohmann::json;

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

void add_blocks(ModelFile& file, std::int64_t n_features, Maker& make) {
  const std::vector<std::vector<std::int64_t>> orders{{0, 1, 2}, {2, 0, 1}, {1, 2, 0}};
  for (std::size_t b = 0; b < orders.size(); ++b) {
    const std::string prefix = "energy.block" + std::to_string(b);
    file.add(prefix + ".actnorm.scale", {3}, {1.1F, -0.9F, 0.8F});
    file.add(prefix + ".actnorm.shift", {3}, {0.1F, -0.2F, 0.05F});
    std::string raw(24, '\0');
    std::memcpy(raw.data(), orders[b].data(), raw.size());
    file.tensors[prefix + ".permutation"] = {{3}, 7, raw};
    make.dense(file, prefix + ".subnet", {1 + 2 + n_features, 16, 8, b == 1 ? 4 : 2 * 14});
  }
}

/// Fills the section `part` of the card and adds the weights; returns the number of features.
std::int64_t add_conditioning(ModelFile& file, Json& part, const std::string& prefix,
                              Conditioning conditioning, Maker& make) {
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
    file.add(prefix + "conditioner.table", {12, 5, 2}, make.normal(120, 0.5));
  } else if (conditioning == Conditioning::classical) {
    part["mode"] = "embedded";
    part["hidden"] = {5, 7};
    make.dense(file, prefix + "conditioner.subnet", {2, 5, 7, 2});
  } else if (circuit) {
    part["mode"] = "embedded";
    const bool again = conditioning == Conditioning::quantum_reuploading;
    file.add(prefix + "quantum.initial_state", {8}, {1, 0, 0, 0, 0, 0, 0, 0});
    for (int u = 0; u < (again ? 2 : 1); ++u) {
      const std::string name = prefix + "quantum." + std::to_string(u);
      const std::int64_t n_monomials = again ? 5 : 2;
      file.add(name + ".phases", {n_monomials, 4},
               make.normal(static_cast<std::size_t>(n_monomials) * 4, 1.0));
      file.add(name + ".matrix", {8, 8}, make.normal(64, 0.35));
    }
    file.add(prefix + "quantum.readout", {4, 2}, {1, 1, 1, -1, -1, 1, -1, -1});
  }
  return n_features;
}

/// The shape of a calorimeter's layer by its section of the card.
kernels::ShapeLayer shape_layer(const Json& layer) {
  const std::size_t n_edges = layer["r_edges"].size();
  if (n_edges == 0) return {};
  return {n_edges - 1, layer["n_alpha"].get<std::size_t>()};
}

void add_groups(ModelFile& file, const kernels::ShapeOrder& order, Maker& make) {
  constexpr std::int64_t units = 3, context = 4, head = 6, bins = 5;
  constexpr std::int64_t n_parameters = 4 + 3 * bins - 1;
  constexpr std::int64_t n_local = kernels::kLocal;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> dims, double scale) {
    std::size_t size = 1;
    for (const std::int64_t dim : dims) size *= static_cast<std::size_t>(dim);
    file.add(name, std::move(dims), make.normal(size, scale));
  };
  for (std::size_t g = 0; g < order.groups.size(); ++g) {
    const std::string name = "shape.group" + std::to_string(g);
    const auto n_known = static_cast<std::int64_t>(order.groups[g].n_known);
    const auto n = static_cast<std::int64_t>(order.groups[g].size);
    const std::int64_t above = static_cast<std::int64_t>(g + 1) * units;
    if (n_known > 0) add(name + ".hidden1.weight", {2 * n_known, units}, 0.3);
    add(name + ".hidden2.weight", {above, units}, 0.3);
    add(name + ".context.weight", {above, n * context}, 0.3);
    add(name + ".head1.weight", {n, context + n_local, head}, 0.3);
    add(name + ".head1.bias", {n, head}, 0.3);
    add(name + ".head2.weight", {n, head, n_parameters}, 0.5);
    add(name + ".head2.bias", {n, n_parameters}, 0.5);
  }
}

}  // namespace

ModelFile make_model(Conditioning conditioning, std::uint32_t seed) {
  Maker make(seed);
  ModelFile file;
  file.card = make_card();
  file.inputs = {{"incident_energy", 1}, {"eta", 1}, {"z_energy", 3}};
  file.outputs = {{"layer_energy", 3}};
  const std::int64_t n_features =
      add_conditioning(file, file.card["conditioning"], "", conditioning, make);
  add_blocks(file, n_features, make);
  file.fill_parity();
  return file;
}

ModelFile make_shower_model(Conditioning energy, Conditioning shape, std::uint32_t seed) {
  ModelFile file = make_model(energy, seed);
  Maker make(seed + 1000);
  file.inputs.emplace_back("z_shape", n_voxels);
  file.outputs.emplace_back("voxel_energy", n_voxels);
  file.card["contents"] = {"layer_energy", "voxel_energy"};
  Json& part = file.card["shape"];
  part = {{"kind", "autoregressive"},
          {"stride", 2},
          {"offset", 6},
          {"units", 3},
          {"context", 4},
          {"head", 6},
          {"bins", 5},
          {"tail_bound", 8.0},
          {"min_bin_width", 1e-3},
          {"min_bin_height", 1e-3},
          {"min_derivative", 1e-3},
          {"log_scale_bound", 5.0},
          {"energy_scale", 0.1},
          {"conditioning", make_card()["conditioning"]},
          {"training", file.card["training"]},
          {"parity", file.card["parity"]}};
  const std::int64_t n_features =
      add_conditioning(file, part["conditioning"], "shape.", shape, make);
  std::vector<kernels::ShapeLayer> layers;
  for (const Json& layer : file.card["binning"]["layers"]) layers.push_back(shape_layer(layer));
  const kernels::ShapeOrder order = kernels::shape_order(layers, 2, 6);
  const std::int64_t n_condition = 2 + 2 * 3 + n_features;
  const auto n_hidden = static_cast<std::int64_t>(3 * order.groups.size());
  const auto n_context = static_cast<std::int64_t>(4 * order.coordinates.size());
  std::int64_t i = 0;
  for (const std::int64_t width : {n_hidden, n_hidden, n_context}) {
    const std::string name = "shape.condition" + std::to_string(++i);
    file.add(name + ".weight", {n_condition, width},
             make.normal(static_cast<std::size_t>(n_condition * width), 0.3));
    file.add(name + ".bias", {width}, make.normal(static_cast<std::size_t>(width), 0.3));
  }
  add_groups(file, order, make);
  file.fill_parity();
  return file;
}

}  // namespace fastcaloq::test
