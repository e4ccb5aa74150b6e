#include "fastcaloq/error.hpp"

namespace fastcaloq {

// Out of line so that each type has one home: exceptions then match across shared libraries.
Error::~Error() = default;
ModelError::~ModelError() = default;
InputError::~InputError() = default;
ServiceError::~ServiceError() = default;
EngineError::~EngineError() = default;

}  // namespace fastcaloq
