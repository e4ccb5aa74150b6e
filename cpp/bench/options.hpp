/// \file
/// The command line of fastcaloq-bench.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace fastcaloq::bench {

struct Options {
  std::string model;
  std::string output;   ///< file; empty: standard output
  double seconds = 20;  ///< for all measurements together, about
  std::vector<std::size_t> batches = {1, 16, 64, 256, 1024};
  std::vector<std::size_t> threads = {1, 2};
  std::string instruction_set = "auto";
  std::vector<std::string> libraries;  ///< to take matrix products from, besides the usual ones
  bool help = false;
};

inline constexpr const char* usage =
    "usage: fastcaloq-bench MODEL.onnx [options]\n"
    "\n"
    "Measures one model on this machine and writes JSON: latency, throughput, allocations, load "
    "time,\n"
    "memory, and the floors that no engine can pass, all within one run, the tasks taking turns.\n"
    "\n"
    "  --output FILE           write there, not to standard output\n"
    "  --seconds S             for all measurements together, about (20)\n"
    "  --batch N,N,...         showers per call (1,16,64,256,1024)\n"
    "  --threads N,N,...       threads per call (1,2)\n"
    "  --instruction-set NAME  auto, avx512, avx2, plain\n"
    "  --sgemm LIBRARY         a BLAS or oneDNN to take the floor from; may be repeated\n";

/// \throws InputError arguments that make no sense
Options parse(int argc, char** argv);

}  // namespace fastcaloq::bench
