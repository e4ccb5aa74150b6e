// Chooses the kernels that this machine can run.
#include <cstring>
#include <stdexcept>
#include <string>

#include "engine.hpp"

namespace fastcaloq::kernels {

#if defined(FASTCALOQ_HAVE_X86_KERNELS)
namespace avx512 {
extern const KernelTable table;
}
namespace avx2 {
extern const KernelTable table;
}
#endif
namespace plain {
extern const KernelTable table;
}

namespace {

// What the processor has and the operating system saves on a context switch.
bool runs_here(InstructionSet set) {
#if defined(FASTCALOQ_HAVE_X86_KERNELS)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (set == InstructionSet::avx2) return avx2;
  if (set == InstructionSet::avx512) {
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  }
#endif
  return set == InstructionSet::plain;
}

}  // namespace

const KernelTable& kernels(InstructionSet set) {
  if (!runs_here(set)) {
    throw std::invalid_argument(std::string("this machine or this build has no ") + name(set) +
                                " kernels; choose one of available_instruction_sets()");
  }
#if defined(FASTCALOQ_HAVE_X86_KERNELS)
  if (set == InstructionSet::avx512) return avx512::table;
  if (set == InstructionSet::avx2) return avx2::table;
#endif
  return plain::table;
}

const std::vector<InstructionSet>& available_instruction_sets() {
  // Never destroyed: showers are drawn after main, too, by what dies later.
  static const std::vector<InstructionSet>& sets = *[] {
    auto* found = new std::vector<InstructionSet>();
    for (const InstructionSet set :
         {InstructionSet::avx512, InstructionSet::avx2, InstructionSet::plain}) {
      if (runs_here(set)) found->push_back(set);
    }
    return found;
  }();
  return sets;
}

InstructionSet best_instruction_set() {
  return available_instruction_sets().front();
}

const char* name(InstructionSet set) noexcept {
  switch (set) {
    case InstructionSet::avx512:
      return "avx512";
    case InstructionSet::avx2:
      return "avx2";
    case InstructionSet::plain:
      break;
  }
  return "plain";
}

std::optional<InstructionSet> instruction_set_from_name(const char* text) noexcept {
  for (const InstructionSet set :
       {InstructionSet::avx512, InstructionSet::avx2, InstructionSet::plain}) {
    if (std::strcmp(text, name(set)) == 0) return set;
  }
  return std::nullopt;
}

}  // namespace fastcaloq::kernels
