// What cannot be packed is refused with the part's name; what the machine lacks is refused too.
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>

#include "engine.hpp"
#include "random_flow.hpp"

namespace fastcaloq::kernels {
namespace {

std::string refusal(const std::function<void(EnergyFlowParameters&)>& damage) {
  EnergyFlowParameters parameters = RandomFlow(5).flow({});
  damage(parameters);
  try {
    const PackedFlow flow(parameters);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(PackingTest, AcceptsWhatIsWhole) {
  EXPECT_EQ(refusal([](EnergyFlowParameters&) {}), "");
  const EnergyFlowParameters parameters = RandomFlow(5).flow({});
  PackedFlow flow(parameters);
  std::size_t expected = 0;
  for (const CouplingBlock& block : parameters.blocks) {
    for (const MlpLayer& layer : block.subnet) expected += layer.n_in * layer.n_out;
  }
  EXPECT_EQ(flow.multiply_adds(), expected);
  EXPECT_GE(flow.bytes(), 4 * expected);
  EXPECT_LE(flow.bytes(), 4 * expected * 3 / 2);
  const FlowView* address = &flow.view();
  const PackedFlow moved = std::move(flow);
  EXPECT_EQ(&moved.view(), address);
}

TEST(PackingTest, RefusesWhatContradictsItself) {
  using P = EnergyFlowParameters;
  const auto names = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(names(refusal([](P& p) { p.blocks[3].permutation[0] = 99; }), "block3.permutation"));
  EXPECT_TRUE(names(refusal([](P& p) { p.blocks[3].permutation[0] = p.blocks[3].permutation[1]; }),
                    "block3.permutation"));
  EXPECT_TRUE(names(refusal([](P& p) { p.blocks[0].actnorm_scale[1] = 0; }), "actnorm.scale"));
  EXPECT_TRUE(names(refusal([](P& p) { p.blocks[0].actnorm_shift.pop_back(); }), "actnorm"));
  EXPECT_TRUE(names(refusal([](P& p) { p.blocks[2].n_active = 4; }), "block2"));
  EXPECT_TRUE(
      names(refusal([](P& p) { p.blocks[2].subnet[1].weight.pop_back(); }), "block2.subnet.1"));
  EXPECT_TRUE(names(refusal([](P& p) { p.blocks[2].subnet.pop_back(); }), "block2.subnet"));
  EXPECT_TRUE(names(refusal([](P& p) { p.blocks[2].subnet.clear(); }), "block2.subnet"));
  EXPECT_TRUE(names(refusal([](P& p) { p.n_features = 5; }), "block0.subnet.0"));
  EXPECT_TRUE(names(refusal([](P& p) { p.blocks[1].bins = 9; }), "block1.subnet"));
  EXPECT_TRUE(names(refusal([](P& p) { p.blocks[1].bins = 0; }), "block1: bins"));
  EXPECT_TRUE(names(refusal([](P& p) { p.blocks[1].min_bin_width = 0.5; }), "min_bin_width"));
  EXPECT_TRUE(names(refusal([](P& p) { p.blocks[1].min_derivative = 1; }), "min_derivative"));
  EXPECT_TRUE(names(refusal([](P& p) { p.blocks[1].tail_bound = -1; }), "tail_bound"));
  EXPECT_TRUE(names(refusal([](P& p) { p.layer_order.pop_back(); }), "layer_order"));
  EXPECT_TRUE(names(refusal([](P& p) { p.knots.clear(); }), "knots"));
  EXPECT_TRUE(names(refusal([](P& p) { std::swap(p.knots[0], p.knots[1]); }), "knots"));
  EXPECT_TRUE(names(refusal([](P& p) { p.coordinates.pop_back(); }), "coordinates"));
  EXPECT_TRUE(names(refusal([](P& p) { p.coordinates[2].mean.pop_back(); }), "coordinate 2"));
  EXPECT_TRUE(names(refusal([](P& p) { p.coordinates[0].upper = 3; }), "no fraction"));
  EXPECT_TRUE(names(refusal([](P& p) { p.n_absolute = 5; }), "n_absolute"));
  EXPECT_TRUE(names(refusal([](P& p) { p.coordinates[1].sharpness = 0; }), "sharpness"));
  EXPECT_TRUE(names(refusal([](P& p) { p.n_layers = 0; }), "no layers"));
  EXPECT_THROW(PackedMlp({RandomFlow(1).layer(3, 4, 1), RandomFlow(1).layer(3, 4, 1)},
                         Activation::relu, Activation::none),
               std::invalid_argument);
  EXPECT_THROW(PackedTable(std::vector<float>(12), 3, 1, 4, 0, 1, 0, 1), std::invalid_argument);
  EXPECT_THROW(PackedTable(std::vector<float>(15), 4, 1, 4, 0, 1, 0, 1), std::invalid_argument);
  EXPECT_THROW(PackedTable(std::vector<float>(16), 4, 1, 4, 1, 1, 0, 1), std::invalid_argument);
}

TEST(DispatchTest, EverySetIsNamedAndPlainIsAlwaysThere) {
  const auto& sets = available_instruction_sets();
  ASSERT_FALSE(sets.empty());
  EXPECT_EQ(sets.back(), InstructionSet::plain);
  EXPECT_EQ(best_instruction_set(), sets.front());
  for (const InstructionSet set :
       {InstructionSet::avx512, InstructionSet::avx2, InstructionSet::plain}) {
    EXPECT_EQ(instruction_set_from_name(name(set)), set);
    const bool available = std::find(sets.begin(), sets.end(), set) != sets.end();
    if (available) {
      EXPECT_STREQ(kernels(set).name, name(set));
    } else {
      EXPECT_THROW(kernels(set), std::invalid_argument);
    }
  }
  EXPECT_EQ(instruction_set_from_name("sse"), std::nullopt);
}

}  // namespace
}  // namespace fastcaloq::kernels
