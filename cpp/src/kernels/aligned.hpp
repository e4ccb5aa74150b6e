// Memory aligned to a cache line, for packed constants and scratch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace fastcaloq::kernels {

inline constexpr std::size_t kAlignment = 64;

inline std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// Not filled, on a cache line; megabytes come in large pages where the system has them: 14 MB take
// 2 ms to touch for the first time and not 9, and less of the memory's time is lost when weights are
// read one by one. Throws std::bad_alloc. Freed by free_bytes.
void* allocate_bytes(std::size_t bytes);
void free_bytes(void* data) noexcept;

float* allocate_floats(std::size_t n);  // zeroed; throws std::bad_alloc
void free_floats(float* data) noexcept;

// Arrays whose total size is known before any is filled: `reserve` each, then `allocate` once,
// then `take` them in the same order. Every array starts on a cache line.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { free_floats(data_); }

  void reserve(std::size_t floats) { size_ += round_up(floats, kAlignment / sizeof(float)); }
  void allocate() { data_ = allocate_floats(size_); }
  float* take(std::size_t floats) {
    float* array = data_ + used_;
    used_ += round_up(floats, kAlignment / sizeof(float));
    if (used_ > size_) throw std::logic_error("an array was taken that was never reserved");
    return array;
  }
  std::size_t bytes() const noexcept { return size_ * sizeof(float); }

 private:
  float* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t used_ = 0;
};

}  // namespace fastcaloq::kernels
