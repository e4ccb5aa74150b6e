#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fastcaloq/error.hpp"
#include "model_file.hpp"
#include "weights.hpp"

namespace fastcaloq::detail {
namespace {

using test::ModelFile;

void expect_refused(const ModelFile& file, const std::string& name) {
  try {
    file.load();
    FAIL() << "accepted with a bad " << name;
  } catch (const ModelError& error) {
    EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
  }
}

class EveryWeight : public testing::TestWithParam<test::Conditioning> {};

TEST_P(EveryWeight, MustBeThere) {
  const ModelFile good = test::make_model(GetParam());
  for (const auto& [name, tensor] : good.tensors) {
    ModelFile bad = good;
    bad.tensors.erase(name);
    expect_refused(bad, name);
  }
}

TEST_P(EveryWeight, MustHaveTheShapeOfTheCard) {
  const ModelFile good = test::make_model(GetParam());
  for (const auto& [name, tensor] : good.tensors) {
    ModelFile bad = good;
    bad.tensors[name].dims.push_back(1);
    expect_refused(bad, name);
    bad = good;
    bad.tensors[name].dims[0] += 1;
    bad.tensors[name].raw.append(tensor.raw.size() / static_cast<std::size_t>(tensor.dims[0]),
                                 '\0');
    expect_refused(bad, name);
  }
}

TEST_P(EveryWeight, MustHaveTheTypeOfTheCard) {
  const ModelFile good = test::make_model(GetParam());
  for (const auto& [name, tensor] : good.tensors) {
    ModelFile bad = good;
    bad.tensors[name].element_type = tensor.element_type == 1 ? 6 : 1;  // int32 has the same size
    expect_refused(bad, name);
  }
}

TEST_P(EveryWeight, MustBeFinite) {
  const ModelFile good = test::make_model(GetParam());
  for (const auto& [name, tensor] : good.tensors) {
    if (tensor.element_type != 1) continue;
    for (const float value : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
      ModelFile bad = good;
      std::vector<float> values = good.values(name);
      values.back() = value;
      bad.add(name, tensor.dims, values);
      expect_refused(bad, name);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Weights, EveryWeight,
                         testing::Values(test::Conditioning::none, test::Conditioning::table,
                                         test::Conditioning::quantum,
                                         test::Conditioning::quantum_reuploading,
                                         test::Conditioning::classical));

TEST(Weights, RefusesWhatTheCardDoesNotKnow) {
  for (const char* name : {"energy.block3.actnorm.scale", "conditioner.extra", "quantum.readout"}) {
    ModelFile bad = test::make_model(test::Conditioning::none);
    bad.add(name, {1}, {1.0F});
    expect_refused(bad, name);
  }
  ModelFile good = test::make_model(test::Conditioning::none);
  good.add("constant_of_the_graph", {1}, {1.0F});
  EXPECT_NO_THROW(good.load());
}

TEST(Weights, RefusesWhatIsNoPermutation) {
  for (const std::vector<std::int64_t>& order :
       {std::vector<std::int64_t>{0, 1, 1}, {0, 1, 3}, {-1, 0, 1}}) {
    ModelFile bad = test::make_model();
    bad.tensors["energy.block1.permutation"].raw.assign(reinterpret_cast<const char*>(order.data()),
                                                        24);
    expect_refused(bad, "energy.block1.permutation");
  }
}

TEST(Weights, RefusesAScaleWithoutInverse) {
  ModelFile bad = test::make_model();
  bad.add("energy.block0.actnorm.scale", {3}, {1.0F, 0.0F, 1.0F});
  expect_refused(bad, "energy.block0.actnorm.scale");
}

}  // namespace
}  // namespace fastcaloq::detail
