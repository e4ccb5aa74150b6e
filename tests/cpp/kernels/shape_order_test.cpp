// The order of the voxels, and shape flows that cannot be packed.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <stdexcept>

#include "random_shape.hpp"
#include "shape_reference.hpp"

namespace fastcaloq::kernels {
namespace {

TEST(ShapeOrderTest, PhotonsOfTheFirstDataSetTakeNinetyNineSteps) {
  const ShapeSizes photon;
  const ShapeOrder order = shape_order(photon.layers, 2, 6);
  EXPECT_EQ(order.n_voxels, 368u);
  EXPECT_EQ(order.coordinates.size(), 363u);
  EXPECT_EQ(order.groups.size(), 99u);
  EXPECT_EQ(order.n_known, 403u);
  const ShapeOrder pion =
      shape_order({{8, 1}, {10, 10}, {10, 10}, {5, 1}, {15, 10}, {16, 10}, {10, 1}}, 2, 6);
  EXPECT_EQ(pion.n_voxels, 533u);
  EXPECT_EQ(pion.coordinates.size(), 526u);  // one less than voxels per layer
}

TEST(ShapeOrderTest, EveryVoxelIsWrittenOnceAndNothingIsSeenEarly) {
  const ShapeOrder order = shape_order({{3, 2}, {0, 0}, {1, 4}, {4, 3}, {1, 1}, {5, 1}}, 2, 1);
  std::multiset<std::uint32_t> written;
  for (const ShapeStart& start : order.starts) {
    if (start.row < order.n_voxels) written.insert(start.row);
  }
  for (std::size_t g = 0; g < order.groups.size(); ++g) {
    const ShapeGroup& group = order.groups[g];
    for (std::size_t k = group.first; k < group.first + group.size; ++k) {
      const ShapeCoordinateView& c = order.coordinates[k];
      if (c.taken < order.n_voxels) written.insert(c.taken);
      if (c.last && c.left < order.n_voxels) written.insert(c.left);
      EXPECT_GE(c.total, order.n_voxels);  // what is left of a chain is no voxel
      for (const std::uint32_t n : c.neighbour) {
        EXPECT_TRUE(n < group.n_known || n == order.n_known);
      }
    }
  }
  EXPECT_EQ(written.size(), order.n_voxels);
  EXPECT_EQ(std::set<std::uint32_t>(written.begin(), written.end()).size(), order.n_voxels);
}

std::string refusal(const std::function<void(ShapeParameters&)>& damage) {
  ShapeSizes sizes;
  sizes.layers = {{3, 2}, {2, 1}, {1, 1}};
  RandomFlow random(5);
  ShapeParameters parameters = random_shape(random, sizes);
  damage(parameters);
  try {
    const PackedShape shape(parameters);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(ShapePackingTest, AcceptsWhatIsWhole) {
  EXPECT_EQ(refusal([](ShapeParameters&) {}), "");
  RandomFlow random(5);
  const ShapeParameters parameters = random_shape(random, {});
  PackedShape shape(parameters);
  std::size_t expected = 0;
  for (const auto& weight : parameters.condition_weight) expected += weight.size();
  for (const ShapeGroupParameters& group : parameters.groups) {
    expected += group.hidden1_weight.size() + group.hidden2_weight.size() +
                group.context_weight.size() + group.head1_weight.size() + group.head2_weight.size();
  }
  EXPECT_EQ(shape.multiply_adds(), expected);
  EXPECT_GE(shape.bytes(), 4 * expected);
  EXPECT_LE(shape.bytes(), 4 * expected * 103 / 100);  // biases, no padding to speak of
  const ShapeView* address = &shape.view();
  const PackedShape moved = std::move(shape);
  EXPECT_EQ(&moved.view(), address);
}

TEST(ShapePackingTest, RefusesWhatContradictsItself) {
  using P = ShapeParameters;
  const auto expect = [](const std::function<void(P&)>& damage, const char* part) {
    const std::string text = refusal(damage);
    EXPECT_NE(text.find(part), std::string::npos) << '"' << text << "\" for " << part;
  };
  expect([](P& p) { p.layers.clear(); }, "no layer has voxels");
  expect([](P& p) { p.layers[1].n_alpha = 0; }, "bins in alpha");
  expect([](P& p) { p.layers[0].n_alpha = 3, p.stride = 1; }, "stride 1");
  expect([](P& p) { p.units = 0; }, "units");
  expect([](P& p) { p.energy_scale = 0; }, "energy_scale");
  expect([](P& p) { p.bins = 0; }, "bins");
  expect([](P& p) { p.tail_bound = -1; }, "tail_bound");
  expect([](P& p) { p.min_bin_width = 0.5; }, "min_bin_width");
  expect([](P& p) { p.log_scale_bound = 0; }, "log_scale_bound");
  expect([](P& p) { p.n_features = 5; }, "shape.condition1.weight");
  expect([](P& p) { p.condition_bias[2].pop_back(); }, "shape.condition3.bias");
  expect([](P& p) { p.groups.pop_back(); }, "groups");
  expect([](P& p) { p.groups[0].hidden1_weight.push_back(0); }, "shape.group0.hidden1.weight");
  expect([](P& p) { p.groups[2].hidden2_weight.pop_back(); }, "shape.group2.hidden2.weight");
  expect([](P& p) { p.groups[1].context_weight.pop_back(); }, "shape.group1.context.weight");
  expect([](P& p) { p.groups[1].head1_weight.pop_back(); }, "shape.group1.head1.weight");
  expect([](P& p) { p.groups[1].head1_bias.pop_back(); }, "shape.group1.head1.bias");
  expect([](P& p) { p.groups[1].head2_weight.pop_back(); }, "shape.group1.head2.weight");
  expect([](P& p) { p.groups[1].head2_bias.pop_back(); }, "shape.group1.head2.bias");
}

}  // namespace
}  // namespace fastcaloq::kernels
