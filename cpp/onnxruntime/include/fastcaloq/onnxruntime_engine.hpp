/// \file
/// ONNX graphs run by ONNX Runtime, as engines of a Sampler. CMake component `onnxruntime`.
///
/// ONNX Runtime's environment is made with the first engine and held for the life of the process: a
/// run after the environment's end crashes ONNX Runtime 1.32, and with it whatever else in the process
/// uses ONNX Runtime. An engine has one session, shared by all threads.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "fastcaloq/engine.hpp"
#include "fastcaloq/export.hpp"
#include "fastcaloq/model.hpp"

namespace fastcaloq {

struct OnnxRuntimeOptions {
  /// Threads of ONNX Runtime within one call; 0: as many as it likes. A Sampler has threads over
  /// showers besides.
  unsigned threads = 1;
  /// Showers given to the graph at once, 1 to 65,536. ONNX Runtime does not promise a shower the same
  /// bits in any batch, only the same within rounding; with 1 it is the same bits.
  std::size_t chunk_rows = 256;
};

/// Runs a graph that is a whole model, with the names and shapes of this project's files: inputs
/// `incident_energy` [N,1] MeV, `eta` [N,1], `z_energy` [N,L], `z_shape` [N,V] where the model has
/// voxels, `quantum` [N,Q] where features are given; outputs `layer_energy` [N,L] MeV, `voxel_energy`
/// [N,V] MeV; float32. Usually the model's own file, but any other graph of these shapes will do (for
/// one that is not this model in other words set SamplerOptions::check_parity to false).
///
/// Where layer energies alone are asked of a whole-shower graph it runs all of it all the same.
/// \param path of the .onnx file
/// \throws InputError a null model or options that make no sense
/// \throws ModelError the file cannot be read or run, or its inputs and outputs are others; names them
/// \throws EngineError the ONNX Runtime library is older than the headers this was built with
FASTCALOQ_API std::shared_ptr<const Engine> onnxruntime_engine(
    std::shared_ptr<const Model> model, const std::string& path,
    const OnnxRuntimeOptions& options = {});

/// A graph that makes voxels for given layer energies: a flow-matching network or a diffusion
/// transformer with its solver, a GAN, or anything else with these inputs and this output, float32.
/// N is dynamic; a graph with N = 1 is run shower after shower.
struct ShapeGraph {
  std::string path;  ///< of the .onnx file

  /// Layers and voxels the graph was trained with (see read_binning); voxels of a layer follow each
  /// other, alpha after alpha, r fastest. Layers of the energy model that are missing here have none.
  BinningCard binning;

  // Names in the graph; an empty one: the graph has no such input.
  std::string z_shape = "z_shape";                  ///< [N,V], standard normal, of the shower's key
  std::string layer_energy = "layer_energy";        ///< [N,L] MeV, all layers of the energy model
  std::string incident_energy = "incident_energy";  ///< [N,1] MeV
  std::string eta = "eta";                          ///< [N,1], |eta|
  std::string voxel_energy = "voxel_energy";        ///< [N,V] MeV; the output

  /// MeV; a voxel below it, negative ones too, becomes 0. None: a negative energy is refused, and
  /// `simulate` returns Retry.
  std::optional<float> threshold;
};

/// Voxels of a graph for the layer energies that the native engine draws from a model. The model may
/// be one of layer energies alone; the voxels it may have itself are not used.
/// \throws InputError a null model, options that make no sense, or a binning for other layers
/// \throws ModelError the file cannot be read or run, or its inputs and outputs are others; names them
/// \throws EngineError the ONNX Runtime library is older than the headers this was built with
FASTCALOQ_API std::shared_ptr<const Engine> onnxruntime_shape_engine(
    std::shared_ptr<const Model> model, const ShapeGraph& graph,
    const OnnxRuntimeOptions& options = {});

/// Version of the ONNX Runtime library in this process, "1.32.0".
FASTCALOQ_API std::string onnxruntime_version();

}  // namespace fastcaloq
