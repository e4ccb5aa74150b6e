/// \file
/// Exceptions of the library. A text says what is wrong, why it matters and what to do, on one line.
#pragma once

#include <stdexcept>

#include "fastcaloq/export.hpp"

namespace fastcaloq {

/// Base of everything the library throws on purpose.
class FASTCALOQ_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  ~Error() override;
};

/// A model file that is missing, damaged, foreign, of a newer schema, or that does not reproduce its
/// own parity vectors on this machine.
class FASTCALOQ_API ModelError : public Error {
 public:
  using Error::Error;
  ~ModelError() override;
};

/// Arguments that cannot be used: NaN or non-positive energies, energies out of range, wrong sizes.
class FASTCALOQ_API InputError : public Error {
 public:
  using Error::Error;
  ~InputError() override;
};

/// A conditioning service that is away, refuses, or gives answers that cannot be used.
class FASTCALOQ_API ServiceError : public Error {
 public:
  using Error::Error;
  ~ServiceError() override;
};

/// An engine that cannot be used, or that fails while it draws.
class FASTCALOQ_API EngineError : public Error {
 public:
  using Error::Error;
  ~EngineError() override;
};

}  // namespace fastcaloq
