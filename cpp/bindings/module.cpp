// Python module `fastcaloq_infer._core`: checks shapes, releases the interpreter lock, calls.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <fastcaloq/error.hpp>
#include <fastcaloq/model.hpp>
#include <fastcaloq/random.hpp>
#include <fastcaloq/sampler.hpp>
#include <fastcaloq/version.hpp>
#include <filesystem>
#include <string_view>

#include "arrays.hpp"

namespace py = pybind11;
using namespace fastcaloq;
using bindings::Array;

namespace {

using FloatArray = py::array_t<float, py::array::c_style>;

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
  return std::const_pointer_cast<Model>(std::move(model));
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

FloatArray make_output(const Sampler& sampler, std::size_t n) {
  return FloatArray(
      {static_cast<py::ssize_t>(n), static_cast<py::ssize_t>(sampler.model()->n_layers())});
}

py::tuple sample(const Sampler& sampler, const Array& incident_energy, const Array& eta,
                 std::uint64_t seed, const Array& event, const Array& particle,
                 const std::string& policy_name) {
  const OutOfRange policy = out_of_range_from_name(policy_name);
  const Conditions conditions = make_conditions(incident_energy, eta);
  const auto n = static_cast<py::ssize_t>(conditions.n);
  const ShowerKeys keys{seed, bindings::event_rows(event, n), bindings::particle_rows(particle, n)};
  FloatArray output = make_output(sampler, conditions.n);
  float* data = output.mutable_data();
  std::size_t n_outside = 0;
  {
    const py::gil_scoped_release release;
    n_outside = sampler.sample(conditions, keys, policy, data);
  }
  return py::make_tuple(output, n_outside);
}

py::tuple generate(const Sampler& sampler, const Array& incident_energy, const Array& eta,
                   const Array& z, const std::string& policy_name) {
  const OutOfRange policy = out_of_range_from_name(policy_name);
  const Conditions conditions = make_conditions(incident_energy, eta);
  const float* z_data = bindings::float_rows(z, "z", static_cast<py::ssize_t>(conditions.n),
                                             static_cast<py::ssize_t>(sampler.model()->n_layers()));
  FloatArray output = make_output(sampler, conditions.n);
  float* data = output.mutable_data();
  std::size_t n_outside = 0;
  {
    const py::gil_scoped_release release;
    n_outside = sampler.generate(conditions, z_data, policy, data);
  }
  return py::make_tuple(output, n_outside);
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
      .def("check_conditions", &check, py::arg("incident_energy"), py::arg("eta"),
           py::arg("out_of_range") = "refuse");

  py::class_<Sampler>(m, "Sampler",
                      "Draws layer energies from a model; may be used by many threads.")
      .def(py::init([](std::shared_ptr<Model> model, unsigned threads, const std::string& set) {
             return std::make_unique<Sampler>(std::move(model), SamplerOptions{threads, set});
           }),
           py::arg("model"), py::arg("threads") = 0, py::arg("instruction_set") = "auto")
      .def_property_readonly("threads", &Sampler::threads)
      .def_property_readonly("instruction_set", &Sampler::instruction_set)
      .def("sample", &sample, py::arg("incident_energy"), py::arg("eta"), py::arg("seed"),
           py::arg("event"), py::arg("particle"), py::arg("out_of_range") = "refuse")
      .def("generate", &generate, py::arg("incident_energy"), py::arg("eta"), py::arg("z"),
           py::arg("out_of_range") = "refuse");

  m.def("latents", &draw_latents, py::arg("seed"), py::arg("event"), py::arg("particle"),
        py::arg("n"), py::arg("stream") = 0);
  m.def("instruction_sets", &instruction_sets);
}
