#include "machine.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <new>
#include <string>

#include "fastcaloq/version.hpp"
#include "kernels/engine.hpp"
#include "parallel.hpp"

namespace fastcaloq::bench {
namespace {

std::atomic<std::size_t> n_allocations{0};

/// Value of the first line "key : value" of a file.
std::string line_of(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const std::size_t start = line.find_first_not_of(": \t", key.size());
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

/// The same of a line "key: 123 kB".
std::size_t bytes_of(const char* path, const std::string& key) {
  return 1024 * std::strtoull(line_of(path, key).c_str(), nullptr, 10);
}

std::string first_line(const char* path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

#if defined(_SC_LEVEL3_CACHE_SIZE)
long cache_bytes(int name) {
  return std::max(0L, sysconf(name));
}
#endif

}  // namespace

std::size_t allocations() noexcept {
  return n_allocations;
}

void count_allocation() noexcept {
  ++n_allocations;
}

ResidentMemory resident_memory() {
  constexpr const char* rollup = "/proc/self/smaps_rollup";
  return {bytes_of(rollup, "Rss:"), bytes_of(rollup, "Pss:"),
          bytes_of("/proc/self/status", "VmHWM:")};
}

nlohmann::ordered_json machine_facts() {
  utsname system{};
  uname(&system);
  nlohmann::ordered_json facts;
  facts["processor"] = line_of("/proc/cpuinfo", "model name");
  facts["architecture"] = system.machine;
  facts["processors"] = detail::available_processors();
#if defined(_SC_LEVEL3_CACHE_SIZE)
  facts["cache_bytes"] = {{"L1d", cache_bytes(_SC_LEVEL1_DCACHE_SIZE)},
                          {"L2", cache_bytes(_SC_LEVEL2_CACHE_SIZE)},
                          {"L3", cache_bytes(_SC_LEVEL3_CACHE_SIZE)}};
#endif
  facts["memory_bytes"] = bytes_of("/proc/meminfo", "MemTotal:");
  facts["large_pages"] = first_line("/sys/kernel/mm/transparent_hugepage/enabled");
  facts["system"] = std::string(system.sysname) + " " + system.release;
#if defined(__VERSION__)
  facts["compiler"] = __VERSION__;
#endif
  for (const auto set : kernels::available_instruction_sets()) {
    facts["instruction_sets"].push_back(kernels::name(set));
  }
  double load[1] = {0};
  if (getloadavg(load, 1) == 1) facts["load_average"] = load[0];
  facts["version"] = version();
  return facts;
}

}  // namespace fastcaloq::bench

// Replaces the program's allocation functions (C++17 [new.delete]); the others call these.
namespace {

void* counted(std::size_t size, std::size_t alignment) {
  fastcaloq::bench::count_allocation();
  size = size == 0 ? alignment : (size + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
