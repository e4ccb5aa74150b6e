#include "fastcaloq/engine.hpp"

namespace fastcaloq {

// Out of line so that each type has one home across shared libraries.
Engine::~Engine() = default;
Engine::Workspace::~Workspace() = default;

}  // namespace fastcaloq
