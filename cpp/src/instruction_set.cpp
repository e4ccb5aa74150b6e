#include "instruction_set.hpp"

#include <algorithm>
#include <optional>

#include "fastcaloq/error.hpp"
#include "fastcaloq/random.hpp"
#include "text.hpp"

namespace fastcaloq::detail {

kernels::InstructionSet find_instruction_set(const std::string& name) {
  if (name == "auto") return kernels::best_instruction_set();
  const std::optional<kernels::InstructionSet> set =
      kernels::instruction_set_from_name(name.c_str());
  const auto& available = kernels::available_instruction_sets();
  if (!set || std::find(available.begin(), available.end(), *set) == available.end()) {
    std::string list = "auto";
    for (const std::string& each : instruction_sets()) list += ", " + each;
    throw InputError("instruction set " + in_quotes(name) +
                     " is unknown or not available on this machine: use one of " + list);
  }
  return *set;
}

}  // namespace fastcaloq::detail
