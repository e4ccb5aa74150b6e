/// \file
/// Versions of the library and of the files it reads.
#pragma once

#include "fastcaloq/export.hpp"

namespace fastcaloq {

/// Newest schema of the model card this library reads; files of a newer schema are refused.
inline constexpr int card_schema = 1;

/// The library's version, for example "0.1.0".
FASTCALOQ_API const char* version() noexcept;

}  // namespace fastcaloq
