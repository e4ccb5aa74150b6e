#include "json_object.hpp"

#include <algorithm>
#include <cmath>

#include "fastcaloq/error.hpp"
#include "text.hpp"

namespace fastcaloq::detail {

JsonObject::JsonObject(const Json& value, std::string path)
    : value_(&value), path_(std::move(path)) {
  if (!value.is_object()) {
    throw ModelError("the model card's " + (path_.empty() ? "top level" : path_) +
                     " is not an object, so the model cannot be understood: export it again");
  }
}

std::string JsonObject::inside(const std::string& key) const {
  return path_.empty() ? key : path_ + "." + key;
}

void JsonObject::fail(const std::string& key, const std::string& reason) const {
  throw ModelError("the model card's " + inside(key) + " " + reason +
                   "; the model would give wrong energies: export it again");
}

const Json& JsonObject::at(const char* key) {
  const auto found = value_->find(key);
  if (found == value_->end()) fail(key, "is missing");
  asked_.emplace(key);
  return *found;
}

double JsonObject::checked(const Json& value, const std::string& key, double low,
                           double high) const {
  if (!value.is_number()) fail(key, "is not a number");
  const double number = value.get<double>();
  if (!std::isfinite(number) || number < low || number > high) {
    fail(key, "is " + pretty(number) + ", outside [" + pretty(low) + ", " + pretty(high) + "]");
  }
  return number;
}

int JsonObject::checked(const Json& value, const std::string& key, int low, int high) const {
  if (!value.is_number_integer()) fail(key, "is not a whole number");
  const double number = value.get<double>();
  if (number < low || number > high) {
    fail(key, "is " + pretty(number) + ", outside [" + std::to_string(low) + ", " +
                  std::to_string(high) + "]");
  }
  return static_cast<int>(number);
}

double JsonObject::number(const char* key, double low, double high) {
  return checked(at(key), key, low, high);
}

std::optional<double> JsonObject::number_or_null(const char* key, double low, double high) {
  if (is_null(key)) return std::nullopt;
  return number(key, low, high);
}

int JsonObject::integer(const char* key, int low, int high) {
  return checked(at(key), key, low, high);
}

bool JsonObject::boolean(const char* key) {
  const Json& value = at(key);
  if (!value.is_boolean()) fail(key, "is neither true nor false");
  return value.get<bool>();
}

std::string JsonObject::text(const char* key) {
  const Json& value = at(key);
  if (!value.is_string()) fail(key, "is not a text");
  return value.get<std::string>();
}

const Json& JsonObject::array(const char* key, std::size_t shortest, std::size_t longest) {
  const Json& value = at(key);
  if (!value.is_array()) fail(key, "is not a list");
  if (value.size() < shortest || value.size() > longest) {
    fail(key,
         "has " + std::to_string(value.size()) + " entries where " +
             (shortest == longest ? std::to_string(shortest)
                                  : std::to_string(shortest) + " to " + std::to_string(longest)) +
             " belong");
  }
  return value;
}

template <class T>
std::vector<T> JsonObject::checked_list(const char* key, std::size_t shortest, std::size_t longest,
                                        T low, T high) {
  const Json& entries = array(key, shortest, longest);
  std::vector<T> values;
  values.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    values.push_back(
        checked(entries[i], std::string(key) + "[" + std::to_string(i) + "]", low, high));
  }
  return values;
}

std::vector<double> JsonObject::numbers(const char* key, std::size_t shortest, std::size_t longest,
                                        double low, double high) {
  return checked_list(key, shortest, longest, low, high);
}

std::vector<int> JsonObject::integers(const char* key, std::size_t shortest, std::size_t longest,
                                      int low, int high) {
  return checked_list(key, shortest, longest, low, high);
}

std::vector<double> JsonObject::matrix(const char* key, std::size_t n_rows, std::size_t n_columns,
                                       double low, double high) {
  const Json& rows = array(key, n_rows, n_rows);
  std::vector<double> numbers;
  numbers.reserve(n_rows * n_columns);
  for (std::size_t row = 0; row < n_rows; ++row) {
    const std::string name = std::string(key) + "[" + std::to_string(row) + "]";
    if (!rows[row].is_array() || rows[row].size() != n_columns) {
      fail(name, "is not a row of " + std::to_string(n_columns) + " numbers");
    }
    for (const Json& value : rows[row]) numbers.push_back(checked(value, name, low, high));
  }
  return numbers;
}

const Json& JsonObject::list(const char* key) {
  return array(key, 0, std::numeric_limits<std::size_t>::max());
}

JsonObject JsonObject::object(const char* key) {
  return JsonObject(at(key), inside(key));
}

std::vector<JsonObject> JsonObject::objects(const char* key, std::size_t shortest,
                                            std::size_t longest) {
  const Json& list = array(key, shortest, longest);
  std::vector<JsonObject> objects;
  objects.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    objects.emplace_back(list[i], inside(key) + "[" + std::to_string(i) + "]");
  }
  return objects;
}

bool JsonObject::is_null(const char* key) {
  return at(key).is_null();
}

bool JsonObject::given(const char* key) {
  return value_->contains(key) && !is_null(key);
}

std::size_t JsonObject::choice(const char* key, const std::vector<std::string>& words) {
  const std::string word = text(key);
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) {
    std::string known;
    for (const std::string& each : words) known += (known.empty() ? "" : ", ") + each;
    fail(key,
         "is " + in_quotes(word) + ", which this version does not know (it knows " + known + ")");
  }
  return static_cast<std::size_t>(found - words.begin());
}

void JsonObject::finish() const {
  for (const auto& entry : value_->items()) {
    if (asked_.count(entry.key()) != 0) continue;
    const std::string owner = path_.empty() ? "the model card" : "the model card's " + path_;
    throw ModelError(owner + " has the unknown key " + in_quotes(entry.key()) +
                     ", whose meaning this version cannot honour: update fastcaloq-infer or "
                     "export the model again");
  }
}

}  // namespace fastcaloq::detail
