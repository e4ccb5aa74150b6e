#include "counting_allocator.hpp"

#include <cstdlib>
#include <new>

namespace {

using fastcaloq::test::allocations;

void* allocate(std::size_t bytes, std::size_t alignment) {
  void* memory = nullptr;
  if (allocations.next_fails() || posix_memalign(&memory, alignment, bytes) != 0) {
    throw std::bad_alloc();
  }
  ++allocations.alive;
  return memory;
}

void give_back(void* memory) noexcept {
  if (memory != nullptr) --allocations.alive;
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t bytes) {
  return allocate(bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  give_back(memory);
}

#if defined(FASTCALOQ_WRAPPED_ALIGNED_ALLOC)
// The linker's names for "the function instead" and "the function itself" (--wrap).
extern "C" {
void* __real_aligned_alloc(std::size_t alignment, std::size_t bytes);
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes);
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return allocations.next_fails() ? nullptr : __real_aligned_alloc(alignment, bytes);
}
}
#endif
