/// \file
/// What is measured on: facts without which the figures mean nothing.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>

namespace fastcaloq::bench {

/// Processor, caches, memory, kernel, compiler, load.
nlohmann::ordered_json machine_facts();

/// Memory of this process in bytes; all 0 where the system does not tell.
struct ResidentMemory {
  std::size_t rss = 0;   ///< in memory
  std::size_t pss = 0;   ///< the same, pages shared with other processes divided among them
  std::size_t peak = 0;  ///< highest rss so far
};
ResidentMemory resident_memory();

/// Calls of operator new since the program started, from any thread. The program's own operator new
/// counts them; libraries linked to it use it too.
std::size_t allocations() noexcept;

}  // namespace fastcaloq::bench
