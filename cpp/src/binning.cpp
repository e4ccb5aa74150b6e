#include "fastcaloq/binning.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <locale>
#include <sstream>

#include "card_limits.hpp"
#include "fastcaloq/error.hpp"
#include "text.hpp"
#include "xml_tags.hpp"

namespace fastcaloq {
namespace {

using detail::in_quotes;
using detail::XmlElement;

const std::string& attribute(const XmlElement& element, const char* name) {
  const auto found = element.attributes.find(name);
  if (found != element.attributes.end()) return found->second;
  throw InputError("a <" + element.name + "> lacks the attribute '" + name + "': add it");
}

int integer(const XmlElement& element, const char* name, int low, int high) {
  const std::string& text = attribute(element, name);
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code == std::errc() && stop == end && value >= low && value <= high) return value;
  throw InputError("a <" + element.name + "> has " + name + "=" + in_quotes(text) +
                   " where an integer from " + std::to_string(low) + " to " + std::to_string(high) +
                   " belongs: correct it");
}

/// Numbers separated by commas, with a point whatever the locale.
std::vector<double> edges(const XmlElement& layer) {
  const std::string& text = attribute(layer, "r_edges");
  const auto refuse = [&] {
    throw InputError("layer " + attribute(layer, "id") + " has r_edges=" + in_quotes(text) +
                     " where ascending numbers (mm, 0 or more), separated by commas, belong: "
                     "correct them");
  };
  std::vector<double> values;
  std::istringstream stream(text);
  stream.imbue(std::locale::classic());
  for (char comma = ','; comma == ','; stream >> comma) {
    double value = -1.0;
    if (!(stream >> value) || !(value >= 0.0 && value <= detail::max_length)) refuse();
    values.push_back(value);
    if ((stream >> std::ws).eof()) break;
  }
  if (!stream.eof()) refuse();
  const auto unordered = std::adjacent_find(values.begin(), values.end(), std::greater_equal<>());
  if (unordered != values.end()) refuse();
  return values;
}

std::size_t find_particle(const std::vector<XmlElement>& elements, const std::string& particle) {
  if (elements.empty() || elements.front().name != "Bins") {
    throw InputError(
        "its outermost element is not <Bins>: give a file in the CaloChallenge's "
        "dialect");
  }
  std::vector<std::size_t> found;
  std::string known;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (elements[i].depth != 1 || elements[i].name != "Bin") continue;
    const std::string& name = attribute(elements[i], "name");
    known += (known.empty() ? "" : ", ") + in_quotes(name);
    if (particle.empty() || name == particle) found.push_back(i);
  }
  if (found.size() == 1) return found.front();
  throw InputError("it describes the particles " + (known.empty() ? "(none)" : known) + ", and " +
                   (particle.empty() ? std::string("one") : in_quotes(particle)) +
                   " is needed: name one of them");
}

BinningCard parse(const std::string& text, const std::string& particle) {
  const std::vector<XmlElement> elements = detail::xml_elements(text);
  BinningCard binning;
  for (std::size_t i = find_particle(elements, particle) + 1;
       i < elements.size() && elements[i].depth > 1; ++i) {
    const XmlElement& element = elements[i];
    if (element.depth != 2 || element.name != "Layer") continue;
    LayerCard layer{integer(element, "id", 0, 10000), edges(element), 1};
    if (layer.r_edges.size() < 2) continue;
    layer.n_alpha = integer(element, "n_bin_alpha", 1, 10000);
    if (!binning.layers.empty() && binning.layers.back().id >= layer.id) {
      throw InputError("layer " + std::to_string(layer.id) + " follows layer " +
                       std::to_string(binning.layers.back().id) +
                       ", so it is unclear where its voxels stand: sort the layers by id");
    }
    binning.layers.push_back(std::move(layer));
  }
  if (binning.layers.empty() || binning.n_voxels() > detail::max_voxels) {
    throw InputError("it has " + std::to_string(binning.n_voxels()) +
                     " voxels: correct r_edges and n_bin_alpha");
  }
  return binning;
}

}  // namespace

BinningCard read_binning(const std::string& path, const std::string& particle) {
  constexpr std::uintmax_t largest = 1 << 20;
  std::error_code code;
  const std::uintmax_t size = std::filesystem::file_size(path, code);
  std::ifstream stream(path, std::ios::binary);
  if (code || !stream || size > largest) {
    throw InputError(path + ": no binning can be read from there: give the path of an XML file");
  }
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  try {
    BinningCard binning = parse(text, particle);
    binning.name = std::filesystem::path(path).stem().string();
    return binning;
  } catch (const InputError& error) {
    throw InputError(path + ": " + error.what());
  }
}

}  // namespace fastcaloq
