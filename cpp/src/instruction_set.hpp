/// \file
/// From the name of an instruction set, as users give it, to its kernels.
#pragma once

#include <string>

#include "kernels/engine.hpp"

namespace fastcaloq::detail {

/// "auto" or one of instruction_sets(); throws InputError with the names there are.
kernels::InstructionSet find_instruction_set(const std::string& name);

}  // namespace fastcaloq::detail
