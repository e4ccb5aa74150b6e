#include "card_parity.hpp"

#include <algorithm>
#include <limits>

#include "card_limits.hpp"

namespace fastcaloq::detail {
namespace {

std::vector<float> as_float(const std::vector<double>& numbers) {
  std::vector<float> values(numbers.size());
  std::transform(numbers.begin(), numbers.end(), values.begin(),
                 [](double number) { return static_cast<float>(number); });
  return values;
}

}  // namespace

ParityCard parse_parity(JsonObject object, const ParityWidths& widths, const PhaseSpace& reach) {
  constexpr double most_energy = 1e30;  // MeV
  constexpr double most_latent = 100.0;
  ParityCard parity;
  const std::vector<double> energies =
      object.numbers("incident_energy", 1, 10000, reach.incident_energy.low * 0.999,
                     reach.incident_energy.high * 1.001);
  const std::size_t n = energies.size();
  const auto matrix = [&](const char* key, std::size_t width, double low, double high) {
    return as_float(object.matrix(key, n, width, low, high));
  };
  parity.incident_energy = as_float(energies);
  parity.eta = as_float(object.numbers("eta", n, n, -max_eta, max_eta));
  parity.z_energy = matrix("z_energy", widths.n_layers, -most_latent, most_latent);
  if (object.given("quantum") != widths.served) {
    object.fail("quantum", "contradicts the mode of the conditioning");
  }
  if (widths.served) parity.quantum = matrix("quantum", widths.n_features, -large, large);
  parity.layer_energy = matrix("layer_energy", widths.n_layers, 0.0, most_energy);
  if (widths.n_voxels > 0) {
    parity.z_shape = matrix("z_shape", widths.n_voxels, -most_latent, most_latent);
    parity.voxel_energy = matrix("voxel_energy", widths.n_voxels, 0.0, most_energy);
  }
  parity.relative_tolerance = object.number("relative_tolerance", 0.0, 0.1);
  parity.absolute_tolerance = object.number("absolute_tolerance", 0.0, max_energy);
  object.finish();
  return parity;
}

void check_training(JsonObject object) {
  constexpr int many = std::numeric_limits<int>::max();
  object.text("version");
  object.number("seed");
  for (JsonObject& entry : object.objects("data", 0, 10000)) {
    entry.text("name");
    entry.text("sha256");
    entry.integer("showers", 0, many);
    entry.finish();
  }
  object.integer("steps", 0, many);
  object.integer("epochs", 0, many);
  object.number("validation_nll");
  object.number("seconds", 0.0);
  object.finish();
}

}  // namespace fastcaloq::detail
