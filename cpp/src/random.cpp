#include "fastcaloq/random.hpp"

#include "kernels/engine.hpp"

namespace fastcaloq {

void latents(const ShowerKeys& keys, std::size_t n, std::size_t n_latents, LatentStream stream,
             float* z) {
  kernels::kernels(kernels::best_instruction_set())
      .latents(keys.seed, keys.event, keys.particle, n, n_latents,
               static_cast<std::uint32_t>(stream), z);
}

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const kernels::InstructionSet set : kernels::available_instruction_sets()) {
    names.emplace_back(kernels::name(set));
  }
  return names;
}

}  // namespace fastcaloq
