#include "json_tree.hpp"

#include <string>
#include <utility>
#include <vector>

#include "fastcaloq/error.hpp"
#include "text.hpp"

namespace fastcaloq::detail {
namespace {

/// Empties the innermost lists and objects first: those that are empty are destroyed without memory.
void dismantle(Json& value) noexcept {
  if (auto* list = value.get_ptr<Json::array_t*>()) {
    for (Json& child : *list) dismantle(child);
    list->clear();
  } else if (auto* object = value.get_ptr<Json::object_t*>()) {
    for (auto& child : *object) dismantle(child.second);
    object->clear();
  }
}

/// Puts what the parser finds where it belongs; the tree is the owner's all the while, also when
/// something is thrown.
class Builder {
 public:
  using number_integer_t = Json::number_integer_t;
  using number_unsigned_t = Json::number_unsigned_t;
  using number_float_t = Json::number_float_t;
  using string_t = Json::string_t;
  using binary_t = Json::binary_t;

  explicit Builder(Json& root) : place_(&root) {}

  bool null() { return put(nullptr); }
  bool boolean(bool value) { return put(value); }
  bool number_integer(number_integer_t value) { return put(value); }
  bool number_unsigned(number_unsigned_t value) { return put(value); }
  bool number_float(number_float_t value, const string_t&) { return put(value); }
  bool string(string_t& value) { return put(std::move(value)); }
  bool binary(binary_t& value) { return put(std::move(value)); }
  bool start_object(std::size_t) { return open(Json::value_t::object); }
  bool start_array(std::size_t) { return open(Json::value_t::array); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(string_t& name) {
    auto& object = *open_.back()->get_ptr<Json::object_t*>();
    const auto [entry, is_new] = object.try_emplace(name);
    if (!is_new) {
      throw ModelError("the model card holds the key " + in_quotes(name) +
                       " twice, so its meaning is open: export the model again");
    }
    place_ = &entry->second;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const Json::exception& error) {
    throw ModelError("the model card is not JSON (" + in_quotes(error.what(), 160) +
                     "); the file is damaged or foreign: export the model again");
  }

 private:
  template <typename Value>
  bool put(Value&& value) {
    if (auto* list = open_.empty() ? nullptr : open_.back()->get_ptr<Json::array_t*>()) {
      place_ = &list->emplace_back(std::forward<Value>(value));
    } else {
      *place_ = Json(std::forward<Value>(value));
    }
    return true;
  }

  bool open(Json::value_t kind) {
    if (open_.size() == JsonTree::max_depth) {
      throw ModelError("the model card is nested more than " + std::to_string(JsonTree::max_depth) +
                       " levels deep; the file is damaged or foreign: export the model again");
    }
    put(kind);
    open_.push_back(place_);
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  Json* place_;              // of the last value, or of the next one in an object
  std::vector<Json*> open_;  // from the outermost to the innermost
};

}  // namespace

JsonTree::JsonTree(std::string_view text) {
  try {
    Builder builder(root_);
    Json::sax_parse(text, &builder);
  } catch (...) {
    dismantle(root_);
    throw;
  }
}

JsonTree::~JsonTree() {
  dismantle(root_);
}

}  // namespace fastcaloq::detail
