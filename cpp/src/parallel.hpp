/// \file
/// Running one job on several threads.
#pragma once

#include <cstddef>
#include <functional>

namespace fastcaloq::detail {

/// Processors this process may run on (its affinity where the system tells), at least 1.
unsigned available_processors();

/// Calls job(0) .. job(n - 1), the first on the calling thread, and waits for all. Where the system
/// gives fewer threads than asked for, the calling thread does the rest. `job` must not throw.
/// Threads live for one call only, so a process may fork between calls.
void run_parallel(std::size_t n, const std::function<void(std::size_t)>& job);

}  // namespace fastcaloq::detail
