// Times the shape flow by itself, one thread: us per shower for each instruction set and batch
// size, beside the two floors that no engine can pass: the time to read the packed weights once,
// and the multiply-adds at a given rate. Random weights in the shipped photon model's sizes.
//   shape_bench [GFLOP/s that the best matrix product of this machine reaches]
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "best_seconds.hpp"
#include "random_shape.hpp"

namespace fk = fastcaloq::kernels;

namespace {

// Reads n words as fast as the memory gives them.
#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target_clones("default", "avx2", "avx512f"), optimize("O3")))
#endif
std::uint32_t read_all(const std::uint32_t* words, std::size_t n) {
  std::uint32_t sum[64] = {};
  for (std::size_t i = 0; i + 64 <= n; i += 64) {
    for (std::size_t j = 0; j < 64; ++j) sum[j] += words[i + j];
  }
  std::uint32_t total = 0;
  for (const std::uint32_t s : sum) total += s;
  return total;
}

}  // namespace

int main(int argc, char** argv) {
  const double rate = argc > 1 ? std::atof(argv[1]) : 113.0;
  fk::RandomFlow random(1);
  const fk::PackedShape shape(fk::random_shape(random, {}));
  const fk::ShapeView& view = shape.view();
  fk::Workspace workspace(shape.workspace_floats());
  constexpr std::size_t most = 1000;
  const fk::ShapeInputs in(random, view, most);
  std::vector<float> out(most * view.n_voxels);

  const double floor = 2e-3 * static_cast<double>(shape.multiply_adds()) / rate;
  std::printf("%zu voxels, %zu multiply-adds, %zu kB packed; %.1f us at %.0f GFLOP/s\n",
              view.n_voxels, shape.multiply_adds(), shape.bytes() / 1024, floor, rate);
  std::printf("%-8s %6s %12s %14s %14s\n", "set", "batch", "us/shower", "over streaming",
              "over GEMM");
  volatile std::uint32_t sink = 0;
  for (const fk::InstructionSet set : fk::available_instruction_sets()) {
    const fk::KernelTable& table = fk::kernels(set);
    const double stream =
        1e6 * fk::best_seconds(0.3, [&] {
          sink = read_all(reinterpret_cast<const std::uint32_t*>(view.weights), shape.bytes() / 4);
        });
    std::printf("%-8s reads the weights once in %.1f us\n", table.name, stream);
    for (const std::size_t batch :
         std::initializer_list<std::size_t>{1, 2, 4, 8, 16, 96, 256, 1000}) {
      const double seconds = fk::best_seconds(0.5, [&] {
        table.sample_shape(view, in.incident_energy.data(), in.condition.data(), in.features.data(),
                           in.layer_energy.data(), in.latents.data(), out.data(), batch,
                           workspace.data());
      });
      const double us = 1e6 * seconds / static_cast<double>(batch);
      std::printf("%-8s %6zu %12.1f %14.2f %14.2f\n", table.name, batch, us, us / stream,
                  us / floor);
    }
  }
  return 0;
}
