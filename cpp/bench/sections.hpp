/// \file
/// The parts of a report; each measures for about `seconds`.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "floors.hpp"
#include "subject.hpp"

namespace fastcaloq::bench {

using Json = nlohmann::ordered_json;

/// Memory before and after loading, and after drawing with one and with two threads. First of all
/// sections: what a process has freed, it may use again unseen. Returns the model.
std::shared_ptr<const Model> measure_memory(const std::string& path,
                                            const std::string& instruction_set, Json& report);

/// Time to load the file again and again.
Json measure_load(const std::string& path, double seconds);

/// One shower at a time, whole ones and layer energies alone, beside reading the weights once.
Json measure_latency(Subject& subject, double seconds);

/// Batches and threads, beside the multiply-adds at the best rate of any library.
Json measure_throughput(Subject& subject, const std::vector<Product>& products,
                        const std::vector<std::size_t>& batches,
                        const std::vector<std::size_t>& threads, double seconds);

/// Calls of operator new in a call of the sampler and of simulate, once their memory is there.
Json count_allocations(Subject& subject);

/// The native engine beside ONNX Runtime on the same file, one thread; a build without the component
/// `onnxruntime` has no such section.
Json measure_onnxruntime(Subject& subject, const std::string& path, double seconds);

/// What `simulate` adds to the sampler it calls.
Json measure_simulate(Subject& subject, double seconds);

}  // namespace fastcaloq::bench
