// Times the kernels by themselves: ns per shower for each instruction set and batch size, what the
// dense layers alone reach, and the latents. One thread. The best of several repeats is printed:
// on a shared machine it is the figure that repeats.
//   kernels_bench [bins] [hidden width] [layers]
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "best_seconds.hpp"
#include "random_flow.hpp"

namespace fk = fastcaloq::kernels;

int main(int argc, char** argv) {
  fk::FlowShape shape;
  if (argc > 1) shape.bins = static_cast<std::size_t>(std::atoi(argv[1]));
  if (argc > 2) shape.hidden.assign(2, static_cast<std::size_t>(std::atoi(argv[2])));
  if (argc > 3) shape.n_layers = static_cast<std::size_t>(std::atoi(argv[3]));
  fk::RandomFlow random(1);
  const fk::EnergyFlowParameters parameters = random.flow(shape);
  const fk::PackedFlow flow(parameters);
  fk::Workspace workspace(flow);
  constexpr std::size_t most = 10000;
  const fk::FlowInputs inputs(random, parameters, most);
  std::vector<float> out(most * shape.n_layers);
  std::vector<std::uint64_t> event(most);
  std::vector<std::uint32_t> particle(most, 0);
  for (std::size_t i = 0; i < most; ++i) event[i] = i;

  const double operations = 2.0 * static_cast<double>(flow.multiply_adds());
  std::printf("%zu layers, %zu blocks, %zu bins: %zu multiply-adds, %zu kB packed\n",
              shape.n_layers, shape.n_blocks, shape.bins, flow.multiply_adds(),
              flow.bytes() / 1024);
  std::printf("%-8s %8s %14s %16s\n", "set", "batch", "ns/shower", "dense GFLOP/s");
  for (const fk::InstructionSet set : fk::available_instruction_sets()) {
    const fk::KernelTable& table = fk::kernels(set);
    for (const std::size_t batch :
         std::initializer_list<std::size_t>{1, 2, 3, 4, 8, 16, 100, 256, 1000, 10000}) {
      // Some 100 us per measurement: short enough to fall between two interruptions.
      const std::size_t calls = batch >= 25 ? 1 : 25 / batch;
      const double seconds = fk::best_seconds(0.15, [&] {
        for (std::size_t c = 0; c < calls; ++c) {
          table.sample(flow.view(), inputs.incident_energy.data(), inputs.condition.data(),
                       inputs.features.data(), inputs.latents.data(), out.data(), batch,
                       workspace.data());
        }
      });
      const double ns = 1e9 * seconds / static_cast<double>(calls * batch);
      std::printf("%-8s %8zu %14.1f %16.1f\n", table.name, batch, ns, operations / ns);
    }
    const double seconds = fk::best_seconds(0.1, [&] {
      table.latents(7, event.data(), particle.data(), most, shape.n_layers, 0, out.data());
    });
    std::printf("%-8s latents  %14.1f ns/shower\n", table.name, 1e9 * seconds / most);
  }
  return 0;
}
