// Runs a test on every instruction set that this machine has.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "engine.hpp"

namespace fastcaloq::kernels {

class EverySet : public ::testing::TestWithParam<InstructionSet> {
 protected:
  const KernelTable& table() const { return kernels(GetParam()); }
};

inline std::string set_name(const ::testing::TestParamInfo<InstructionSet>& info) {
  return name(info.param);
}

#define FASTCALOQ_ON_EVERY_SET(suite) \
  INSTANTIATE_TEST_SUITE_P(, suite, ::testing::ValuesIn(available_instruction_sets()), set_name)

}  // namespace fastcaloq::kernels
