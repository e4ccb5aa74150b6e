#include "fastcaloq/version.hpp"

namespace fastcaloq {

const char* version() noexcept {
  return FASTCALOQ_VERSION;
}

}  // namespace fastcaloq
