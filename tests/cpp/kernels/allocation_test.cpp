// Nothing in the kernels allocates.
#include <gtest/gtest.h>

#include "counting_allocator.hpp"
#include "every_set.hpp"
#include "random_shape.hpp"

namespace fastcaloq::kernels {
namespace {

class AllocationTest : public EverySet {};

TEST_P(AllocationTest, KernelsDoNotAllocate) {
  FlowShape shape;
  shape.mixed = true;
  shape.activation = Activation::silu;
  RandomFlow random(3);
  const EnergyFlowParameters parameters = random.flow(shape);
  const std::size_t before_packing = test::allocations.made;
  const PackedFlow flow(parameters);
  EXPECT_GT(test::allocations.made, before_packing);  // the counter counts
  Workspace workspace(flow);
  const FlowInputs inputs(random, parameters, 333);
  std::vector<float> out(inputs.n * shape.n_layers), c(2 * inputs.n);
  const std::vector<std::uint64_t> event(inputs.n, 1);
  const std::vector<std::uint32_t> particle(inputs.n, 0);
  const std::vector<float> eta(inputs.n, 0.2f);

  ShapeSizes sizes;
  sizes.layers = {{3, 2}, {4, 5}};
  const PackedShape voxels(random_shape(random, sizes));
  const ShapeInputs shape_inputs(random, voxels.view(), inputs.n);
  Workspace shape_workspace(voxels.workspace_floats());
  std::vector<float> voxel_energy(inputs.n * voxels.view().n_voxels);

  const std::size_t before = test::allocations.made;
  for (const std::size_t n : {std::size_t{1}, std::size_t{5}, inputs.n}) {
    table().latents(1, event.data(), particle.data(), n, shape.n_layers, 0, out.data());
    table().condition({}, inputs.incident_energy.data(), eta.data(), c.data(), nullptr, n);
    table().sample(flow.view(), inputs.incident_energy.data(), inputs.condition.data(),
                   inputs.features.data(), inputs.latents.data(), out.data(), n, workspace.data());
    table().sample_shape(voxels.view(), shape_inputs.incident_energy.data(),
                         shape_inputs.condition.data(), shape_inputs.features.data(),
                         shape_inputs.layer_energy.data(), shape_inputs.latents.data(),
                         voxel_energy.data(), n, shape_workspace.data());
  }
  EXPECT_EQ(test::allocations.made, before);
}

FASTCALOQ_ON_EVERY_SET(AllocationTest);

}  // namespace
}  // namespace fastcaloq::kernels
