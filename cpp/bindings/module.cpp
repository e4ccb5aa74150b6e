// Python module `fastcaloq_infer._core`: checks shapes, releases the interpreter lock, calls.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <fastcaloq/conditioner.hpp>
#include <fastcaloq/error.hpp>
#include <fastcaloq/model.hpp>
#include <fastcaloq/random.hpp>
#include <fastcaloq/sampler.hpp>
#include <fastcaloq/version.hpp>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "arrays.hpp"
#include "output.hpp"

namespace py = pybind11;
using namespace fastcaloq;
using bindings::Array;
using bindings::FloatArray;
using bindings::Output;

namespace {

void raise(const char* type, const char* text) {
  // File names need not be UTF-8.
  const auto message = py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(
      text, static_cast<py::ssize_t>(std::string_view(text).size()), "replace"));
  const py::object error = py::module_::import("fastcaloq_infer.errors").attr(type);
  PyErr_SetObject(error.ptr(), message.ptr());
}

void translate(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const ModelError& error) {
    raise("ModelError", error.what());
  } catch (const InputError& error) {
    raise("InputError", error.what());
  } catch (const Error& error) {
    raise("FastCaloQError", error.what());
  }
}

// pybind11 holds no pointers to const; Model has no method that changes it.
std::shared_ptr<Model> shared(std::shared_ptr<const Model> model) {
  return std::const_pointer_cast<Model>(model);
}

std::shared_ptr<Model> load(const std::filesystem::path& path) {
  const py::gil_scoped_release release;
  return shared(Model::load(path.string()));
}

std::shared_ptr<Model> from_bytes(const py::bytes& data, const std::string& name) {
  const std::string_view bytes = data;
  const py::gil_scoped_release release;
  return shared(Model::from_bytes(bytes.data(), bytes.size(), name));
}

Conditions make_conditions(const Array& incident_energy, const Array& eta) {
  const py::ssize_t n = bindings::length(incident_energy, "incident_energy");
  return {static_cast<std::size_t>(n), bindings::float_rows(incident_energy, "incident_energy", n),
          bindings::float_rows(eta, "eta", n)};
}

py::tuple check(const Model& model, const Array& incident_energy, const Array& eta,
                const std::string& policy_name) {
  const OutOfRange policy = out_of_range_from_name(policy_name);
  const Conditions conditions = make_conditions(incident_energy, eta);
  const auto n = static_cast<py::ssize_t>(conditions.n);
  FloatArray energy_out(n);
  FloatArray eta_out(n);
  float* energy_data = energy_out.mutable_data();
  float* eta_data = eta_out.mutable_data();
  std::size_t n_outside = 0;
  {
    const py::gil_scoped_release release;
    n_outside = check_conditions(model.card(), conditions, policy, energy_data, eta_data);
  }
  return py::make_tuple(energy_out, eta_out, n_outside);
}

using OptionalArray = std::optional<Array>;

Conditions make_conditions(const Sampler& sampler, const Array& incident_energy, const Array& eta,
                           const OptionalArray& quantum) {
  Conditions conditions = make_conditions(incident_energy, eta);
  if (!quantum) return conditions;
  const std::size_t width = sampler.model()->n_features();
  if (width == 0) {
    throw InputError("quantum was given to a model without a conditioner: leave it out");
  }
  conditions.quantum = bindings::float_rows(
      *quantum, "quantum", static_cast<py::ssize_t>(conditions.n), static_cast<py::ssize_t>(width));
  return conditions;
}

FloatArray own_features(std::shared_ptr<Model> model, const Array& incident_energy,
                        const Array& eta, const std::string& policy_name) {
  const OutOfRange policy = out_of_range_from_name(policy_name);
  const Conditions conditions = make_conditions(incident_energy, eta);
  const auto conditioner = own_conditioner(model);
  if (!conditioner) {
    throw InputError(
        "this model file holds neither conditioner nor table, so it has no features of its own: "
        "ask "
        "the service it was made for");
  }
  FloatArray output({static_cast<py::ssize_t>(conditions.n),
                     static_cast<py::ssize_t>(conditioner->n_features())});
  float* data = output.mutable_data();
  {
    const py::gil_scoped_release release;
    std::vector<float> used(2 * conditions.n);
    float* energies = used.data();
    float* etas = energies + conditions.n;
    check_conditions(model->card(), conditions, policy, energies, etas);
    conditioner->features(energies, etas, conditions.n, data);
  }
  return output;
}

void require_voxels(const Sampler& sampler) {
  if (sampler.model()->n_voxels() > 0) return;
  throw InputError(
      "voxels were asked of a model that makes layer energies alone: ask for energies only "
      "(voxels=False), or take a model of whole showers");
}

py::tuple sample(const Sampler& sampler, const Array& incident_energy, const Array& eta,
                 std::uint64_t seed, const Array& event, const Array& particle,
                 const std::string& policy_name, const OptionalArray& quantum, bool voxels) {
  if (voxels) require_voxels(sampler);
  const OutOfRange policy = out_of_range_from_name(policy_name);
  const Conditions conditions = make_conditions(sampler, incident_energy, eta, quantum);
  const auto n = static_cast<py::ssize_t>(conditions.n);
  const ShowerKeys keys{seed, bindings::event_rows(event, n), bindings::particle_rows(particle, n)};
  const Output output(sampler, conditions.n, voxels);
  std::size_t n_outside = 0;
  {
    const py::gil_scoped_release release;
    n_outside = sampler.sample(conditions, keys, policy, output.layers, output.voxels);
  }
  return output.result(n_outside);
}

py::tuple generate(const Sampler& sampler, const Array& incident_energy, const Array& eta,
                   const Array& z, const std::string& policy_name, const OptionalArray& quantum,
                   const OptionalArray& z_shape) {
  if (z_shape) require_voxels(sampler);
  const OutOfRange policy = out_of_range_from_name(policy_name);
  const Conditions conditions = make_conditions(sampler, incident_energy, eta, quantum);
  const auto n = static_cast<py::ssize_t>(conditions.n);
  const Model& model = *sampler.model();
  const float* z_data = bindings::float_rows(z, "z", n, static_cast<py::ssize_t>(model.n_layers()));
  const float* z_shape_data =
      z_shape
          ? bindings::float_rows(*z_shape, "z_shape", n, static_cast<py::ssize_t>(model.n_voxels()))
          : nullptr;
  const Output output(sampler, conditions.n, z_shape.has_value());
  std::size_t n_outside = 0;
  {
    const py::gil_scoped_release release;
    n_outside = z_shape ? sampler.generate(conditions, z_data, z_shape_data, policy, output.layers,
                                           output.voxels)
                        : sampler.generate(conditions, z_data, policy, output.layers);
  }
  return output.result(n_outside);
}

FloatArray draw_latents(std::uint64_t seed, const Array& event, const Array& particle,
                        std::size_t n, std::uint32_t stream) {
  if (stream > static_cast<std::uint32_t>(LatentStream::condition)) {
    throw InputError(
        "stream must be 0 (energy), 1 (shape) or 2 (condition): no other is drawn from");
  }
  const py::ssize_t rows = bindings::length(event, "event");
  const ShowerKeys keys{seed, bindings::event_rows(event, rows),
                        bindings::particle_rows(particle, rows)};
  FloatArray output({rows, static_cast<py::ssize_t>(n)});
  float* data = output.mutable_data();
  {
    const py::gil_scoped_release release;
    latents(keys, static_cast<std::size_t>(rows), n, static_cast<LatentStream>(stream), data);
  }
  return output;
}

}  // namespace

PYBIND11_MODULE(_core, m) {
  m.doc() = "C++ core of fastcaloq_infer: arrays in, arrays out, nothing converted.";
  m.attr("__version__") = version();
  py::register_local_exception_translator(translate);

  py::class_<Model, std::shared_ptr<Model>>(m, "Model", "A loaded, verified, immutable model.")
      .def(py::init(&load), py::arg("path"))
      .def_static("from_bytes", &from_bytes, py::arg("data"), py::arg("name") = "the model")
      .def_property_readonly("card", &Model::card_json)
      .def_property_readonly("digest", &Model::digest)
      .def_property_readonly("n_layers", &Model::n_layers)
      .def_property_readonly("n_voxels", &Model::n_voxels)
      .def_property_readonly("n_features", &Model::n_features)
      .def_property_readonly("is_served", &Model::is_served)
      .def("check_conditions", &check, py::arg("incident_energy"), py::arg("eta"),
           py::arg("out_of_range") = "refuse")
      .def("features", &own_features, py::arg("incident_energy"), py::arg("eta"),
           py::arg("out_of_range") = "refuse");

  py::class_<Sampler>(m, "Sampler", "Draws showers from a model; may be used by many threads.")
      .def(py::init([](std::shared_ptr<Model> model, unsigned threads, const std::string& set) {
             return std::make_unique<Sampler>(std::move(model),
                                              SamplerOptions{threads, set, nullptr});
           }),
           py::arg("model"), py::arg("threads") = 0, py::arg("instruction_set") = "auto")
      .def_property_readonly("threads", &Sampler::threads)
      .def_property_readonly("instruction_set", &Sampler::instruction_set)
      .def("sample", &sample, py::arg("incident_energy"), py::arg("eta"), py::arg("seed"),
           py::arg("event"), py::arg("particle"), py::arg("out_of_range") = "refuse",
           py::arg("quantum") = py::none(), py::arg("voxels") = false)
      .def("generate", &generate, py::arg("incident_energy"), py::arg("eta"), py::arg("z"),
           py::arg("out_of_range") = "refuse", py::arg("quantum") = py::none(),
           py::arg("z_shape") = py::none());

  m.def("latents", &draw_latents, py::arg("seed"), py::arg("event"), py::arg("particle"),
        py::arg("n"), py::arg("stream") = 0);
  m.def("instruction_sets", &instruction_sets);
}
