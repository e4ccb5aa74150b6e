#include "fuzz_target.hpp"

#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "card_parser.hpp"
#include "fastcaloq/error.hpp"
#include "fastcaloq/sampler.hpp"
#include "model_file.hpp"
#include "onnx_reader.hpp"
#include "wire.hpp"

namespace fastcaloq::test {
namespace {

constexpr std::uint32_t metadata_field = 14;  // of ModelProto in onnx.proto

std::string_view metadata(std::string_view bytes, const char* key) {
  try {
    const detail::OnnxFile file = detail::read_onnx(bytes);
    const auto found = file.metadata.find(key);
    return found == file.metadata.end() ? std::string_view() : found->second;
  } catch (const ModelError&) {
    return {};
  }
}

/// Whatever a model makes must be energies, or refused.
void draw(const std::shared_ptr<const Model>& model) {
  constexpr std::size_t n = 3;
  const PhaseSpace& limits = model->card().validity;
  const auto middle =
      static_cast<float>(0.5 * limits.incident_energy.low + 0.5 * limits.incident_energy.high);
  const std::array<float, n> energy{static_cast<float>(limits.incident_energy.low), middle, middle};
  const std::array<float, n> eta{static_cast<float>(limits.eta.low), 0.0F, -0.1F};
  const std::array<std::uint64_t, n> event{0, 1, 2};
  const std::array<std::uint32_t, n> particle{0, 0, 1};
  std::vector<float> layers(n * model->n_layers());
  std::vector<float> voxels(n * model->n_voxels());
  const Sampler sampler(model, {1});
  sampler.sample({n, energy.data(), eta.data()}, {1, event.data(), particle.data()},
                 OutOfRange::clip, layers.data(), voxels.empty() ? nullptr : voxels.data());
  for (const std::vector<float>* all : {&layers, &voxels}) {
    for (const float value : *all) {
      if (!(value >= 0.0F)) std::abort();
    }
  }
}

nlohmann::json& random_node(nlohmann::json& root, std::mt19937& random) {
  nlohmann::json* node = &root;
  while (node->is_structured() && !node->empty() && random() % 6 != 0) {
    auto child = node->begin();
    std::advance(child, static_cast<std::ptrdiff_t>(random() % node->size()));
    node = &*child;
  }
  return *node;
}

}  // namespace

void read_anything(std::string_view bytes) {
  const std::string_view card = card_of(bytes);
  try {
    (void)detail::parse_card(card.empty() ? bytes : card);
  } catch (const ModelError&) {
  }
  if (card.empty()) return;
  const std::string sealed = resealed(bytes);
  try {
    draw(Model::from_bytes(sealed.data(), sealed.size()));
  } catch (const Error&) {
  }
}

std::string resealed(std::string_view bytes) {
  std::string sealed(bytes);
  const std::string_view place = metadata(sealed, "fastcaloq.sha256");
  if (place.size() != 64) return sealed;
  const std::string digest = detail::file_digest(sealed, place);
  sealed.replace(static_cast<std::size_t>(place.data() - sealed.data()), place.size(), digest);
  return sealed;
}

std::string_view card_of(std::string_view bytes) {
  return metadata(bytes, "fastcaloq.card");
}

std::string with_card(std::string_view bytes, const std::string& card) {
  const std::string_view old = card_of(bytes);
  Message file;
  detail::WireReader reader(bytes, "file");
  detail::WireField field;
  while (!old.empty() && reader.next(field)) {
    if (field.type == detail::WireType::varint) file.number(field.number, field.value);
    if (field.type != detail::WireType::bytes) continue;
    const bool holds_card = field.number == metadata_field && old.data() >= field.bytes.data() &&
                            old.data() < field.bytes.data() + field.bytes.size();
    if (holds_card) {
      file.message(field.number, Message().bytes(1, "fastcaloq.card").bytes(2, card));
    } else {
      file.bytes(field.number, std::string(field.bytes));
    }
  }
  return old.empty() ? std::string(bytes) : file.text();
}

std::string with_strange_value(const std::string& card, std::uint32_t seed) {
  using Json = nlohmann::json;
  Json json = Json::parse(card, nullptr, false);
  if (json.is_discarded()) return card;
  std::mt19937 random(seed);
  Json& node = random_node(json, random);
  static const std::array<Json, 18> strange{
      Json(0),    Json(1),    Json(-1),     Json(2),       Json(3),         Json(1e9),
      Json(1e18), Json(1e38), Json(1e-300), Json(-1e300),  Json(INT64_MAX), Json(INT32_MAX),
      Json(""),   Json(true), Json(),       Json::array(), Json::object(),  Json("table")};
  switch (random() % 4) {
    case 0:
      if (node.is_structured() && !node.empty()) {
        auto child = node.begin();
        std::advance(child, static_cast<std::ptrdiff_t>(random() % node.size()));
        node.erase(child);
        break;
      }
      [[fallthrough]];
    case 1:
      if (node.is_array() && !node.empty()) {
        node.push_back(Json(node.back()));
        break;
      }
      [[fallthrough]];
    case 2:
      if (node.is_number()) {
        node = node.get<double>() * (random() % 2 == 0 ? 2.0 : 0.5) + (random() % 3 == 0 ? 1 : 0);
        break;
      }
      [[fallthrough]];
    default:
      node = strange[random() % strange.size()];
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace fastcaloq::test
