/// \file
/// Strict reading of JSON objects: every key asked for must be there, every key there must be asked for.
#pragma once

#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "json_tree.hpp"

namespace fastcaloq::detail {

/// One object of the card. `path` ("flow.blocks[2]") names it in errors. All errors are ModelError.
class JsonObject {
 public:
  JsonObject(const Json& value, std::string path);

  /// A finite number in [low, high].
  double number(const char* key, double low = -huge, double high = huge);
  std::optional<double> number_or_null(const char* key, double low = -huge, double high = huge);
  int integer(const char* key, int low, int high);
  bool boolean(const char* key);
  std::string text(const char* key);
  /// Finite numbers in [low, high], between `shortest` and `longest` of them.
  std::vector<double> numbers(const char* key, std::size_t shortest, std::size_t longest,
                              double low = -huge, double high = huge);
  std::vector<int> integers(const char* key, std::size_t shortest, std::size_t longest, int low,
                            int high);
  /// `n_rows` rows of `n_columns` numbers, row by row.
  std::vector<double> matrix(const char* key, std::size_t n_rows, std::size_t n_columns,
                             double low = -huge, double high = huge);
  /// The list under `key`, unchecked.
  const Json& list(const char* key);
  JsonObject object(const char* key);
  std::vector<JsonObject> objects(const char* key, std::size_t shortest, std::size_t longest);
  bool is_null(const char* key);
  /// Whether an optional key is there and not null.
  bool given(const char* key);
  /// Index of the text under `key` in `words`; refused if not among them.
  std::size_t choice(const char* key, const std::vector<std::string>& words);

  /// Refuses keys that nobody asked for. Call last.
  void finish() const;

  [[noreturn]] void fail(const std::string& key, const std::string& reason) const;

 private:
  static constexpr double huge = std::numeric_limits<double>::max();

  const Json& at(const char* key);
  const Json& array(const char* key, std::size_t shortest, std::size_t longest);
  template <class T>
  std::vector<T> checked_list(const char* key, std::size_t shortest, std::size_t longest, T low,
                              T high);
  double checked(const Json& value, const std::string& key, double low, double high) const;
  int checked(const Json& value, const std::string& key, int low, int high) const;
  std::string inside(const std::string& key) const;

  const Json* value_;
  std::string path_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace fastcaloq::detail
