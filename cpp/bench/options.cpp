#include "options.hpp"

#include <cstdlib>

#include "fastcaloq/error.hpp"

namespace fastcaloq::bench {
namespace {

[[noreturn]] void refuse(const std::string& option, const std::string& value, const char* wanted) {
  throw InputError(option + " " + value + ": " + wanted + " is needed there; see --help");
}

double number(const std::string& option, const std::string& value, const char* wanted) {
  char* end = nullptr;
  const double found = std::strtod(value.c_str(), &end);
  if (value.empty() || *end != '\0' || !(found > 0.0 && found < 1e6)) refuse(option, value, wanted);
  return found;
}

std::vector<std::size_t> numbers(const std::string& option, const std::string& value) {
  constexpr const char* wanted = "a list of whole numbers such as 1,16,256";
  std::vector<std::size_t> found;
  for (std::size_t start = 0; start <= value.size();) {
    const std::size_t end = std::min(value.find(',', start), value.size());
    const double one = number(option, value.substr(start, end - start), wanted);
    found.push_back(static_cast<std::size_t>(one));
    if (static_cast<double>(found.back()) != one || one < 1.0) refuse(option, value, wanted);
    start = end + 1;
  }
  return found;
}

}  // namespace

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--help" || option == "-h") {
      options.help = true;
      return options;
    }
    if (option.rfind("--", 0) != 0) {
      if (!options.model.empty()) refuse("a second model", option, "one model");
      options.model = option;
      continue;
    }
    if (i + 1 == argc) refuse(option, "", "a value");
    const std::string value = argv[++i];
    if (option == "--output") {
      options.output = value;
    } else if (option == "--seconds") {
      options.seconds = number(option, value, "a number of seconds");
    } else if (option == "--batch") {
      options.batches = numbers(option, value);
    } else if (option == "--threads") {
      options.threads = numbers(option, value);
    } else if (option == "--instruction-set") {
      options.instruction_set = value;
    } else if (option == "--sgemm") {
      options.libraries.push_back(value);
    } else {
      refuse(option, value, "an option that exists");
    }
  }
  if (options.model.empty()) refuse("MODEL.onnx", "is missing", "a model");
  return options;
}

}  // namespace fastcaloq::bench
