#include "fastcaloq/model.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "card_parser.hpp"
#include "fastcaloq/error.hpp"
#include "kernels/aligned.hpp"
#include "network.hpp"
#include "onnx_reader.hpp"
#include "parity.hpp"
#include "sha256.hpp"
#include "weights.hpp"

namespace fastcaloq {
namespace {

using detail::GraphValue;

/// A file in memory.
struct FileBytes {
  struct Free {
    void operator()(char* bytes) const noexcept { kernels::free_bytes(bytes); }
  };

  std::unique_ptr<char, Free> data;
  std::size_t size = 0;
};

FileBytes read_file(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!fs::exists(status)) {
    throw ModelError(
        path + ": no such file, so there is no model to load: give the path of an .onnx file");
  }
  if (!fs::is_regular_file(status)) {
    throw ModelError(path +
                     ": not a file, so there is no model to load: give the path of an .onnx file");
  }
  const std::uintmax_t size = fs::file_size(path, code);
  // Protocol buffers end at 2 GiB; a larger file is not a model.
  if (code || size >= (std::uintmax_t{1} << 31)) {
    throw ModelError(path + ": of a size no model has: give the path of an .onnx file");
  }
  FileBytes bytes;
  bytes.size = static_cast<std::size_t>(size);
  bytes.data.reset(static_cast<char*>(kernels::allocate_bytes(bytes.size)));
  std::ifstream stream(path, std::ios::binary);
  stream.read(bytes.data.get(), static_cast<std::streamsize>(bytes.size));
  if (!stream || static_cast<std::size_t>(stream.gcount()) != bytes.size) {
    throw ModelError(path + ": cannot be read: check its permissions and the disk");
  }
  return bytes;
}

/// For a moment a model that is being loaded takes three times its weights: file, parameters and
/// what is packed of them. glibc would keep for itself what was freed.
void give_back_freed_memory() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

std::string_view metadata(const detail::OnnxFile& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) {
    throw ModelError("an ONNX file, but not a model of this project (no '" + key +
                     "' in its metadata), so its energies would have no meaning: give a file "
                     "written by 'fastcaloq export-onnx'");
  }
  return found->second;
}

std::string check_digest(const detail::OnnxFile& file, std::string_view bytes) {
  const std::string_view stored = metadata(file, "fastcaloq.sha256");
  if (stored.size() != 64) {
    throw ModelError(
        "its SHA-256 has not 64 characters; the file is damaged: fetch or export it again");
  }
  std::string digest = detail::file_digest(bytes, stored);
  if (digest != stored) {
    throw ModelError(
        "its SHA-256 does not match its content; the file is damaged or was changed, so its "
        "showers "
        "cannot be trusted: fetch or export it again");
  }
  return digest;
}

void check_values(const std::vector<GraphValue>& values, const char* kind,
                  const std::vector<std::pair<std::string, std::int64_t>>& wanted) {
  bool same = values.size() == wanted.size();
  for (const auto& [name, width] : wanted) {
    const auto found =
        std::find_if(values.begin(), values.end(),
                     [&name = name](const GraphValue& value) { return value.name == name; });
    same = same && found != values.end() &&
           found->element_type == static_cast<std::int32_t>(detail::ElementType::float32) &&
           found->dims.size() == 2 && found->dims[0] == -1 && found->dims[1] == width;
  }
  if (same) return;
  std::string list;
  for (const auto& [name, width] : wanted) {
    list += (list.empty() ? "" : ", ") + name + " [N, " + std::to_string(width) + "]";
  }
  throw ModelError(std::string("its ") + kind + " are not the float32 " + list +
                   " that the card asks for: export the model again");
}

}  // namespace

std::string Model::feature_version() const {
  const std::string& energy = card_.conditioning.version;
  if (!card_.shape || card_.shape->conditioning.version.empty()) return energy;
  detail::Sha256 sha;
  sha.update((energy.empty() ? "none" : energy) + " " + card_.shape->conditioning.version);
  return sha.hex_digest().substr(0, 16);
}

bool Model::is_served() const noexcept {
  return card_.conditioning.mode == ConditioningMode::served ||
         (card_.shape && card_.shape->conditioning.mode == ConditioningMode::served);
}

Model::Model() = default;
Model::~Model() = default;

std::shared_ptr<const Model> Model::load(const std::string& path) {
  std::shared_ptr<const Model> model;
  {
    const FileBytes bytes = read_file(path);
    model = from_bytes(bytes.data.get(), bytes.size, path);
  }
  give_back_freed_memory();
  return model;
}

std::shared_ptr<const Model> Model::from_bytes(const void* data, std::size_t size,
                                               const std::string& name) {
  try {
    const std::string_view bytes(static_cast<const char*>(data), size);
    const detail::OnnxFile file = detail::read_onnx(bytes);
    std::shared_ptr<Model> model(new Model());
    model->digest_ = check_digest(file, bytes);
    model->card_json_ = metadata(file, "fastcaloq.card");
    model->card_ = detail::parse_card(model->card_json_);
    const auto n_layers = static_cast<std::int64_t>(model->n_layers());
    std::vector<std::pair<std::string, std::int64_t>> inputs{
        {"incident_energy", 1}, {"eta", 1}, {"z_energy", n_layers}};
    std::vector<std::pair<std::string, std::int64_t>> outputs{{"layer_energy", n_layers}};
    if (const auto n_voxels = static_cast<std::int64_t>(model->n_voxels()); n_voxels > 0) {
      inputs.emplace_back("z_shape", n_voxels);
      outputs.emplace_back("voxel_energy", n_voxels);
    }
    if (model->is_served()) {
      inputs.emplace_back("quantum", static_cast<std::int64_t>(model->n_features()));
    }
    check_values(file.inputs, "inputs", inputs);
    check_values(file.outputs, "outputs", outputs);
    detail::Weights weights(file);
    model->network_ = std::make_unique<const detail::Network>(model->card_, weights);
    weights.finish();
    detail::verify_parity(*model->network_, kernels::kernels(kernels::best_instruction_set()),
                          model->card_);
    return model;
  } catch (const ModelError& error) {
    throw ModelError(name + ": " + error.what());
  }
}

}  // namespace fastcaloq
