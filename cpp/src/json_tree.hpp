/// \file
/// A parsed JSON text.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace fastcaloq::detail {

using Json = nlohmann::json;

/// Refuses repeated keys and deep nesting. Unlike a Json of its own, whose destructor allocates and so
/// ends the process where there is no memory, it dies without.
class JsonTree {
 public:
  static constexpr std::size_t max_depth = 64;  ///< a card has 7 levels

  /// \throws ModelError not JSON
  explicit JsonTree(std::string_view text);
  ~JsonTree();
  JsonTree(const JsonTree&) = delete;
  JsonTree& operator=(const JsonTree&) = delete;

  const Json& root() const noexcept { return root_; }

 private:
  Json root_;
};

}  // namespace fastcaloq::detail
